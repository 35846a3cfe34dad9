package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"os"
	"strconv"
	"time"
)

// signer writes requests of DynamoDB's protocol, signed with Signature Version 4.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
type signer struct {
	host, region, keyID, secret, session string

	day string    // for which mac is
	mac hash.Hash // keyed with the signing key of day

	text, sum []byte // reused
}

func newSigner(host string) *signer {
	return &signer{
		host:    host,
		region:  os.Getenv("AWS_REGION"),
		keyID:   os.Getenv("AWS_ACCESS_KEY_ID"),
		secret:  os.Getenv("AWS_SECRET_ACCESS_KEY"),
		session: os.Getenv("AWS_SESSION_TOKEN"),
	}
}

const (
	timeFormat    = "20060102T150405Z"
	signedHeaders = "content-type;host;x-amz-date;x-amz-security-token;x-amz-target"
)

// appendRequest appends the whole request for operation with body. now is in UTC.
func (s *signer) appendRequest(dst []byte, operation string, body []byte, now time.Time) []byte {
	// The headers, as they are sent and as they are signed.
	dst = append(dst, "POST / HTTP/1.1\r\n"...)
	from := len(dst)
	dst = append(dst, "content-type:application/x-amz-json-1.0\r\nhost:"...)
	dst = append(dst, s.host...)
	dst = append(dst, "\r\nx-amz-date:"...)
	stamp := len(dst)
	dst = now.AppendFormat(dst, timeFormat)
	end := len(dst)
	dst = append(dst, "\r\nx-amz-security-token:"...)
	dst = append(dst, s.session...)
	dst = append(dst, "\r\nx-amz-target:DynamoDB_20120810."...)
	dst = append(dst, operation...)
	dst = append(dst, "\r\n"...)

	t := append(s.text[:0], "POST\n/\n\n"...)
	for _, c := range dst[from:] {
		if c != '\r' {
			t = append(t, c)
		}
	}
	t = append(t, "\n"+signedHeaders+"\n"...)
	hash := sha256.Sum256(body)
	t = hex.AppendEncode(t, hash[:])
	hash = sha256.Sum256(t)

	t = append(t[:0], "AWS4-HMAC-SHA256\n"...)
	t = append(t, dst[stamp:end]...)
	t = append(t, '\n')
	scope := len(t)
	t = s.appendScope(t, dst[stamp:stamp+8])
	scopeEnd := len(t)
	t = append(t, '\n')
	t = hex.AppendEncode(t, hash[:])
	s.text = t

	dst = append(dst, "authorization:AWS4-HMAC-SHA256 Credential="...)
	dst = append(dst, s.keyID...)
	dst = append(dst, '/')
	dst = append(dst, t[scope:scopeEnd]...)
	dst = append(dst, ", SignedHeaders="+signedHeaders+", Signature="...)
	dst = hex.AppendEncode(dst, s.signature(t, dst[stamp:stamp+8]))
	dst = append(dst, "\r\ncontent-length:"...)
	dst = strconv.AppendInt(dst, int64(len(body)), 10)
	dst = append(dst, "\r\n\r\n"...)
	return append(dst, body...)
}

func (s *signer) appendScope(dst, day []byte) []byte {
	dst = append(dst, day...)
	dst = append(dst, '/')
	dst = append(dst, s.region...)
	return append(dst, "/dynamodb/aws4_request"...)
}

func (s *signer) signature(text, day []byte) []byte {
	if s.day != string(day) {
		s.day = string(day)
		key := []byte("AWS4" + s.secret)
		for _, part := range []string{s.day, s.region, "dynamodb", "aws4_request"} {
			mac := hmac.New(sha256.New, key)
			mac.Write([]byte(part))
			key = mac.Sum(nil)
		}
		s.mac = hmac.New(sha256.New, key)
	}
	s.mac.Reset()
	s.mac.Write(text)
	s.sum = s.mac.Sum(s.sum[:0])
	return s.sum
}
