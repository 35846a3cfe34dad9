package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log"
	"net/http"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

type request struct {
	Settings map[string]any `json:"settings"`
}

type response struct {
	Success bool   `json:"success"`
	Message string `json:"message"`
}

// maxBody is the length of a body whose document has 400,000 bytes.
const maxBody = 400_000 + len(`{"settings":}`)

const invalidBody = "Failed to update organization settings"

func handle(ctx context.Context, event events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	header := event.Headers["authorization"]
	if len(header) < len("Bearer ") || !strings.EqualFold(header[:len("Bearer ")], "Bearer ") {
		return answer(http.StatusUnauthorized, "Authentication required")
	}
	userID, err := authenticate(header[len("Bearer "):])
	if err != nil {
		log.Printf("verify token: %v", err)
		return answer(http.StatusUnauthorized, "Invalid access token")
	}

	body := []byte(event.Body)
	if event.IsBase64Encoded {
		if body, err = base64.StdEncoding.DecodeString(event.Body); err != nil {
			return answer(http.StatusBadRequest, invalidBody)
		}
	}
	if len(body) > maxBody {
		return answer(http.StatusRequestEntityTooLarge, invalidBody)
	}
	var req request
	if err := json.Unmarshal(body, &req); err != nil || req.Settings == nil {
		return answer(http.StatusBadRequest, invalidBody)
	}

	member, err := findMember(ctx, userID)
	switch {
	case errors.Is(err, errNoOrganization):
		return answer(http.StatusNotFound, "User not associated with any organization")
	case err != nil:
		log.Printf("find member: %v", err)
		return answer(http.StatusInternalServerError, "Internal server error")
	case member.Role != nil && *member.Role < roleAdministrator:
		return answer(http.StatusForbidden, "Insufficient permissions: only OWNER and ADMINISTRATOR roles can modify organization settings")
	}
	if err := saveSettings(ctx, member.OrgID, req.Settings); err != nil {
		log.Printf("save settings: %v", err)
		return answer(http.StatusInternalServerError, "Internal server error")
	}
	return answer(http.StatusOK, "Organization settings updated successfully")
}

func answer(status int, message string) (events.APIGatewayV2HTTPResponse, error) {
	body, err := json.Marshal(response{Success: status == http.StatusOK, Message: message})
	return events.APIGatewayV2HTTPResponse{
		StatusCode: status,
		Headers:    map[string]string{"content-type": "application/json"},
		Body:       string(body),
	}, err
}
