package store

import "golang.org/x/sys/unix"

// sharedFileSystems names the file systems that cannot keep a ledger: WAL needs
// memory shared by all its users on one host, and honest locks and fsync.
var sharedFileSystems = map[int64]string{
	unix.NFS_SUPER_MAGIC:   "NFS",
	unix.SMB_SUPER_MAGIC:   "SMB",
	unix.CIFS_SUPER_MAGIC:  "CIFS",
	unix.SMB2_SUPER_MAGIC:  "SMB",
	unix.FUSE_SUPER_MAGIC:  "FUSE",
	unix.V9FS_MAGIC:        "9p",
	unix.CEPH_SUPER_MAGIC:  "Ceph",
	unix.AFS_SUPER_MAGIC:   "AFS",
	unix.AFS_FS_MAGIC:      "AFS",
	unix.CODA_SUPER_MAGIC:  "Coda",
	unix.NCP_SUPER_MAGIC:   "NCP",
	unix.OCFS2_SUPER_MAGIC: "OCFS2",
	0x01161970:             "GFS2",
	0x0BD00BD0:             "Lustre",
	0x47504653:             "GPFS",
	0x19830326:             "BeeGFS",
	0x786F4256:             "a VirtualBox shared folder",
	0x7C7C6673:             "a Parallels shared folder",
}

// readOnlyFileSystem reports whether nobody can write at place.
func readOnlyFileSystem(place string) bool {
	var stat unix.Statfs_t
	return unix.Statfs(place, &stat) == nil && stat.Flags&unix.ST_RDONLY != 0
}

// sharedFileSystem returns the name of the file system that place is on if it
// cannot keep a ledger, and else "".
func sharedFileSystem(place string) (string, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(place, &stat); err != nil {
		return "", err
	}
	return sharedFileSystems[int64(uint32(stat.Type))], nil
}
