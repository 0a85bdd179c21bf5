package aps

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// aliyuncs is the domain of all of Alibaba Cloud's endpoints.
const aliyuncs = "aliyuncs.com"

// centralRegions are served by the central host (API reference, section 1: the
// official SDK's map; the documentation's own table differs for some).
var centralRegions = map[string]bool{
	"cn-qingdao": true, "cn-beijing": true, "cn-hangzhou": true, "cn-shanghai": true,
	"cn-shenzhen": true, "cn-hongkong": true, "ap-southeast-1": true,
	"us-west-1": true, "us-east-1": true,
	"cn-hangzhou-finance": true, "cn-shanghai-finance-1": true,
	"cn-shenzhen-finance-1": true, "cn-north-2-gov-1": true,
}

// EndpointFor returns the host that serves region, as the official SDK maps it.
func EndpointFor(region string) string {
	switch {
	case centralRegions[region]:
		return "adb." + aliyuncs
	case region == "me-east-1":
		region = "ap-northeast-1"
	}
	return "adb." + region + "." + aliyuncs
}

// endpoint is where requests go.
type endpoint struct {
	scheme string // http or https
	host   string // host or host:port, as it goes into the URL
}

// name returns the host without its port.
func (e endpoint) name() string {
	u := url.URL{Host: e.host}
	return u.Hostname()
}

// loopback reports whether e stays on this machine.
func (e endpoint) loopback() bool {
	name := e.name()
	ip := net.ParseIP(name)
	return strings.EqualFold(name, "localhost") || ip != nil && ip.IsLoopback()
}

func (e endpoint) service() string {
	name := strings.TrimSuffix(strings.ToLower(e.name()), ".")
	switch {
	case e.loopback():
		return "loopback"
	case name == aliyuncs || strings.HasSuffix(name, "."+aliyuncs):
		return aliyuncs
	}
	return strings.TrimSuffix(strings.ToLower(e.host), ":443")
}

// parseEndpoint reads text, a URL without anything but scheme, host and port.
// Its errors do not repeat text, which may hold a password.
func parseEndpoint(text string) (endpoint, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return endpoint{}, fmt.Errorf("the endpoint is not a URL; write it like https://%s", EndpointFor("cn-hangzhou"))
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return endpoint{}, fmt.Errorf("the endpoint must be a URL that starts with https:// (or http:// for this machine), like https://%s", EndpointFor("cn-hangzhou"))
	case u.User != nil:
		return endpoint{}, fmt.Errorf("the endpoint must not hold a user name or password: requests are signed with an access key instead")
	case u.Path != "" && u.Path != "/":
		return endpoint{}, fmt.Errorf("the endpoint must not have a path: the API is at the root of https://%s", u.Host)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return endpoint{}, fmt.Errorf("the endpoint must end after the host and port: https://%s", u.Host)
	case !validHost(u):
		return endpoint{}, fmt.Errorf("the endpoint needs a host name or address, and a port from 1 to 65535 if any: %q", u.Host)
	}
	e := endpoint{u.Scheme, u.Host}
	if e.scheme == "http" && !e.loopback() {
		return endpoint{}, fmt.Errorf("plain http would show passwords to the network: use https://%s (http is for this machine only)", u.Host)
	}
	return e, nil
}

var hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9.])?$`)

func validHost(u *url.URL) bool {
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return false
		}
	} else if strings.HasSuffix(u.Host, ":") {
		return false
	}
	return net.ParseIP(u.Hostname()) != nil || hostName.MatchString(u.Hostname())
}

// stsEndpoint is where CallerIdentity asks. An emulator on this machine serves
// both APIs, and asking the real STS with its keys would tell nothing.
func stsEndpoint(text string, service *endpoint) (endpoint, error) {
	switch {
	case text != "":
		e, err := parseEndpoint(text)
		if err != nil {
			return e, fmt.Errorf("STS: %w", err)
		}
		return e, nil
	case service != nil && service.loopback():
		return *service, nil
	}
	return endpoint{"https", "sts." + aliyuncs}, nil
}

// regionID is what can be put into a host name without changing whose it is.
var regionID = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// at returns where calls for region go. Its error says what is wrong with it.
func (c *Client) at(region string) (endpoint, error) {
	if !regionID.MatchString(region) || len(region) > 40 {
		return endpoint{}, fmt.Errorf("%.60q is not a region id such as cn-hangzhou", region)
	}
	if c.endpoint != nil {
		return *c.endpoint, nil
	}
	return endpoint{"https", EndpointFor(region)}, nil
}
