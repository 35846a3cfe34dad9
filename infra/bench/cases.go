package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"orgsettings/infra/bench/documents"
)

// Messages of the contract.
const (
	updated        = "Organization settings updated successfully"
	noToken        = "Authentication required"
	badToken       = "Invalid access token"
	badBody        = "Failed to update organization settings"
	noOrganization = "User not associated with any organization"
	noPermission   = "Insufficient permissions: only OWNER and ADMINISTRATOR roles can modify organization settings"
	broken         = "Internal server error"
)

const success = `{"success":true,"message":"` + updated + `"}`

// testCase is a request and what must come of it.
type testCase struct {
	name     string
	request  request
	status   []int // any of these
	message  string
	org      string // whose settings are written; empty: nothing may be written
	early    bool   // refused without a call of the database
	failPuts bool   // the database fails every PutItem
}

// testCases returns every request that a contender must answer as the service does before it is timed.
func testCases(k *keys) ([]testCase, error) {
	var problems []error
	sign := func(c jwt.Claims, elliptic bool) string {
		token, err := k.sign(c, elliptic)
		problems = append(problems, err)
		return token
	}
	good := func(elliptic bool) string { return sign(claims(owner), elliptic) }
	with := func(change func(jwt.MapClaims)) string {
		c := claims(owner)
		change(c)
		return sign(c, false)
	}
	short := wrapped(documents.Settings(small, 1))
	var list []testCase
	accepted := func(name string, r request, org string) {
		list = append(list, testCase{name: name, request: r, status: []int{200}, message: updated, org: org})
	}
	refusedEarly := func(name string, r request, message string, status ...int) {
		list = append(list, testCase{name: name, request: r, status: status, message: message, early: true})
	}
	refused := func(name, token, message string, status int) {
		list = append(list, testCase{name: name, request: request{token: token, body: short}, status: []int{status}, message: message})
	}

	for _, size := range []int{small, medium, large} {
		body := wrapped(documents.Settings(size, 1))
		accepted(label(size)+", RS256", request{token: good(false), body: body}, ownersOrg)
		accepted(label(size)+", ES256", request{token: good(true), body: body}, ownersOrg)
	}
	accepted("base64 body", request{token: good(false), body: short, base64: true}, ownersOrg)
	accepted("no role recorded", request{token: sign(claims(noRole), true), body: short}, "initech")
	refusedEarly("no token", request{body: short}, noToken, 401)

	// A careless verifier takes the RSA key, which is public, for a shared secret.
	der, err := x509.MarshalPKIXPublicKey(&k.rsa.PublicKey)
	problems = append(problems, err)
	secret := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	confused, err := signed(jwt.SigningMethodHS256, rsaID, claims(owner), secret)
	problems = append(problems, err)
	unsigned, err := signed(jwt.SigningMethodNone, rsaID, claims(owner), jwt.UnsafeAllowNoneSignatureType)
	problems = append(problems, err)
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	problems = append(problems, err)
	unknown, err := signed(jwt.SigningMethodRS256, "unknown", claims(owner), other)
	problems = append(problems, err)
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	for name, token := range map[string]string{
		"garbage":           "garbage",
		"expired":           with(func(c jwt.MapClaims) { c["exp"] = time.Now().Add(-time.Hour).Unix() }),
		"other issuer":      with(func(c jwt.MapClaims) { c["iss"] = "https://other.example.com/" }),
		"other audience":    with(func(c jwt.MapClaims) { c["aud"] = "https://other.example.com" }),
		"no expiry":         with(func(c jwt.MapClaims) { delete(c, "exp") }),
		"alg none":          unsigned,
		"key as a secret":   confused,
		"unknown key":       unknown,
		"changed signature": changedSignature(good(false)),
		"changed ES256":     changedSignature(good(true)),
		"exchanged payload": exchangedPayload(good(false), sign(claims(noRole), false)),
	} {
		refusedEarly(name, request{token: token, body: short}, badToken, 401)
	}
	for name, body := range map[string]string{
		"no JSON": "{", "array": "[]", "no settings": `{"other":{}}`,
		"null settings": `{"settings":null}`, "array settings": `{"settings":[]}`, "text settings": `{"settings":"x"}`,
	} {
		refusedEarly(name, request{token: good(false), body: body}, badBody, 400)
	}
	refusedEarly("too large", request{token: good(false), body: wrapped(documents.Settings(400_100, 1))}, badBody, 413, 400)
	refused("unknown user", sign(claims(nobody), false), noOrganization, 404)
	refused("no organization", sign(claims(orgless), false), noOrganization, 404)
	refused("no permission", sign(claims(member), false), noPermission, 403)
	refused("database down", good(false), broken, 500)
	list[len(list)-1].failPuts = true
	accepted("database up again", request{token: good(false), body: short}, ownersOrg)
	return list, errors.Join(problems...)
}

func changedSignature(token string) string {
	dot := strings.LastIndexByte(token, '.')
	raw, _ := base64.RawURLEncoding.DecodeString(token[dot+1:]) // of a token made here
	raw[len(raw)/2] ^= 1
	return token[:dot+1] + base64.RawURLEncoding.EncodeToString(raw)
}

func exchangedPayload(token, other string) string {
	parts, others := strings.Split(token, "."), strings.Split(other, ".")
	return parts[0] + "." + others[1] + "." + parts[2]
}
