package main

import (
	"bytes"
	"errors"
	"log"
	"strconv"
	"time"
)

// handler answers events.
type handler struct {
	tokens   *verifier
	database *database
	reader   reader
}

// The answers, as events are answered.
var (
	updated          = result(200, true, "Organization settings updated successfully")
	unauthenticated  = result(401, false, "Authentication required")
	badToken         = result(401, false, "Invalid access token")
	badBody          = result(400, false, "Failed to update organization settings")
	documentTooLarge = result(413, false, "Failed to update organization settings")
	noOrganization   = result(404, false, "User not associated with any organization")
	forbidden        = result(403, false, "Insufficient permissions: only OWNER and ADMINISTRATOR roles can modify organization settings")
	internalError    = result(500, false, "Internal server error")
)

func result(status int, success bool, message string) string {
	body := `{"success":` + strconv.FormatBool(success) + `,"message":"` + message + `"}`
	return `{"statusCode":` + strconv.Itoa(status) + `,"headers":{"content-type":"application/json"},"body":` + strconv.Quote(body) + `}`
}

func (h *handler) handle(event []byte) string {
	e, ok := readEvent(event)
	if !ok {
		log.Print("event is not one of an HTTP API")
		return internalError
	}
	const scheme = "bearer "
	if len(e.authorization) < len(scheme) || !bytes.EqualFold(e.authorization[:len(scheme)], []byte(scheme)) {
		return unauthenticated
	}
	now := time.Now().UTC()
	user, ok := h.tokens.verify(e.authorization[len(scheme):], now)
	if !ok {
		return badToken
	}
	document, err := h.reader.document(e)
	switch {
	case errors.Is(err, errTooLarge):
		return documentTooLarge
	case err != nil:
		return badBody
	}
	member, err := h.database.membership(user)
	switch {
	case err != nil:
		log.Print(err)
		return internalError
	case len(member.org) == 0:
		return noOrganization
	case !member.mayWrite:
		return forbidden
	}
	if err := h.database.put(member.org, document, now); err != nil {
		log.Print(err)
		return internalError
	}
	return updated
}
