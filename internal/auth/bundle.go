package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/MicahParks/jwkset"
)

// MaxJWKSBytes bounds the JSON text of a JWK Set, fetched or bundled.
const MaxJWKSBytes = maxSetBytes

// CheckJWKSURL requires an absolute https URL without a user name or password. A loopback host may have http. Whoever
// can change the keys in transit can sign tokens.
func CheckJWKSURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return errors.New("is not an absolute URL")
	}
	if u.User != nil {
		return errors.New("holds a user name or password")
	}
	ip := net.ParseIP(u.Hostname())
	loopback := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	if u.Scheme != "https" && !(u.Scheme == "http" && loopback) {
		return errors.New("does not start with https://, which is required except for loopback hosts")
	}
	return nil
}

// Bundle returns the text of [Config.BundledJWKS] for a JWK Set that was fetched at this time: the members that decide
// what each usable key verifies, and no others. The text has at most [MaxJWKSBytes].
func Bundle(set []byte, fetched time.Time) ([]byte, error) {
	if _, err := readKeySet(set, fetched, maxOutage); err != nil {
		return nil, err
	}
	jwks, err := readJWKs(set)
	if err != nil {
		return nil, err
	}
	bundled := struct {
		Fetched time.Time           `json:"fetched"`
		Keys    []jwkset.JWKMarshal `json:"keys"`
	}{Fetched: fetched}
	for _, k := range jwks {
		if key, err := k.usableKey(); err == nil {
			bundled.Keys = append(bundled.Keys, key.Marshal())
		}
	}
	text, err := json.MarshalIndent(bundled, "", "  ")
	if err == nil && len(text) > MaxJWKSBytes {
		err = fmt.Errorf("the usable keys have %d bytes, the limit is %d", len(text), MaxJWKSBytes)
	}
	return text, err
}
