package secret

import (
	"cmp"
	"context"
	"errors"
	"fmt"
)

// KMS names a secret that Alibaba Cloud's Key Management Service keeps, and which
// part of it is meant.
type KMS struct {
	Secret string // its name, or its resource name (acs:kms:...)
	Region string // where it is kept, such as cn-hangzhou; see Ref.InRegion
	// VersionStage is the stage label of the version. "" means ACSCurrent.
	VersionStage string
	// Field is a key of the JSON object that the secret is; the text under it is
	// what is meant. "" means the whole secret.
	Field string
}

// stageCurrent is the stage label of the version that is in use.
const stageCurrent = "ACSCurrent"

// String names the place and never the secret, for example "kms orders-db, field
// password".
func (k KMS) String() string {
	if k.Field == "" {
		return "kms " + k.Secret
	}
	return "kms " + k.Secret + ", field " + k.Field
}

// whole returns the secret that k is a part of, in one spelling.
func (k KMS) whole() KMS {
	k.Field, k.VersionStage = "", cmp.Or(k.VersionStage, stageCurrent)
	return k
}

// InRegion returns r, with region for a KMS secret that names none. r itself
// stays as it is.
func (r Ref) InRegion(region string) Ref {
	if r.KMS != nil && r.KMS.Region == "" {
		k := *r.KMS
		k.Region = region
		r.KMS = &k
	}
	return r
}

// readKMS asks for a whole secret by the hook, or picks a field of one. All the
// fields of a secret share one request.
func (r *Reader) readKMS(ctx context.Context, k KMS) (string, error) {
	if k.Secret == "" {
		return "", errors.New("the reference names no secret of KMS")
	}
	if k.Field != "" {
		whole := k.whole()
		value, err := r.shared(ctx, Ref{KMS: &whole})
		if err != nil {
			return "", err
		}
		return pick(value.Reveal(), k.Field)
	}
	if r.KMS == nil {
		return "", errors.New("KMS cannot be asked here; name env, file or command instead")
	}
	value, err := r.KMS(ctx, k.whole())
	if err != nil {
		if ctx.Err() != nil {
			return "", fmt.Errorf("%w: %w", errStopped, err)
		}
		return "", err
	}
	text := value.Reveal()
	if len(text) > sizeMaxBytes {
		return "", fmt.Errorf("it is larger than %d KiB; keep only the password in KMS", sizeMaxBytes>>10)
	}
	return trim([]byte(text))
}
