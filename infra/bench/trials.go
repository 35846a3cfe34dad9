package main

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
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

// trial is a request and what must come of it.
type trial struct {
	name     string
	request  request
	status   []int
	message  string
	org      string // the one whose settings are written; empty if none may be
	early    bool   // it is refused without a call of the database
	failPuts bool
}

// trials returns every request that a contender must answer as the service does before it is timed.
func trials(k *keys) ([]trial, error) {
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
	small := wrapped(settingsLike(1<<10, 1))
	var list []trial

	for _, size := range []int{1 << 10, 100 << 10, 390 << 10} {
		body := wrapped(settingsLike(size, 1))
		for _, elliptic := range []bool{false, true} {
			name := fmt.Sprintf("%s, ES256 %t", label(size), elliptic)
			list = append(list, trial{name: name, request: request{token: good(elliptic), body: body}, status: []int{200}, message: updated, org: ownersOrg})
		}
	}
	list = append(list,
		trial{name: "base64 body", request: request{token: good(false), body: small, base64: true}, status: []int{200}, message: updated, org: ownersOrg},
		trial{name: "no role recorded", request: request{token: sign(claims(noRole), true), body: small}, status: []int{200}, message: updated, org: "initech"},
		trial{name: "no token", request: request{body: small}, status: []int{401}, message: noToken, early: true},
	)

	pem, err := k.publicPEM()
	problems = append(problems, err)
	confused, err := signed(jwt.SigningMethodHS256, rsaID, claims(owner), pem)
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
		list = append(list, trial{name: name, request: request{token: token, body: small}, status: []int{401}, message: badToken, early: true})
	}
	for name, body := range map[string]string{
		"no JSON": "{", "array": "[]", "no settings": `{"other":{}}`,
		"null settings": `{"settings":null}`, "array settings": `{"settings":[]}`, "text settings": `{"settings":"x"}`,
	} {
		list = append(list, trial{name: name, request: request{token: good(false), body: body}, status: []int{400}, message: badBody, early: true})
	}
	return append(list,
		trial{name: "too large", request: request{token: good(false), body: wrapped(settingsLike(400_100, 1))}, status: []int{413, 400}, message: badBody, early: true},
		trial{name: "unknown user", request: request{token: sign(claims(nobody), false), body: small}, status: []int{404}, message: noOrganization},
		trial{name: "no organization", request: request{token: sign(claims(orgless), false), body: small}, status: []int{404}, message: noOrganization},
		trial{name: "no permission", request: request{token: sign(claims(member), false), body: small}, status: []int{403}, message: noPermission},
		trial{name: "database down", request: request{token: good(false), body: small}, status: []int{500}, message: broken, failPuts: true},
		trial{name: "database up again", request: request{token: good(false), body: small}, status: []int{200}, message: updated, org: ownersOrg},
	), errors.Join(problems...)
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
