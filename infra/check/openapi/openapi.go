// Package openapi reads openapi.yaml and compares responses of the service with it.
// It knows nothing of how a response came about.
package openapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"regexp"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"orgsettings/infra"
)

// Load reads the description and checks that it is valid OpenAPI 3.1. Callers share
// the result and must not change it.
var Load = sync.OnceValues(load)

func load() (*openapi3.T, error) {
	doc, err := openapi3.NewLoader().LoadFromData([]byte(infra.OpenAPI()))
	if err != nil {
		return nil, fmt.Errorf("read openapi.yaml: %w", err)
	}
	if err := doc.Validate(context.Background(), openapi3.IsOpenAPI31OrLater()); err != nil {
		return nil, fmt.Errorf("validate openapi.yaml: %w", err)
	}
	return doc, nil
}

// Validate fails tb unless the description has response as an answer to request:
// status, header fields and body. The response is of the gateway or of the handler
// itself. Its body can still be read afterwards. Answers to preflight requests are
// not described, and are not checked.
func Validate(tb testing.TB, request *http.Request, response *http.Response) {
	tb.Helper()
	if request.Method == http.MethodOptions {
		return
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		tb.Errorf("%s %s: read the answer: %v", request.Method, request.URL.Path, err)
		return
	}
	response.Body.Close()
	response.Body = io.NopCloser(bytes.NewReader(body))
	if err := validate(request, response, body); err != nil {
		tb.Errorf("%s %s: the answer %d %.300s does not match openapi.yaml: %v", request.Method, request.URL.Path, response.StatusCode, body, err)
	}
}

func validate(request *http.Request, response *http.Response, body []byte) error {
	doc, err := Load()
	if err != nil {
		return err
	}
	item := find(doc, request.URL.Path)
	if item == nil || item.GetOperation(request.Method) == nil {
		return validateUnrouted(doc, response, body)
	}
	operation := item.GetOperation(request.Method)
	if response.StatusCode == http.StatusNotModified {
		return validateNotModified(operation, response, body)
	}
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{
			Request: request,
			Route:   &routers.Route{Spec: doc, Path: request.URL.Path, PathItem: item, Method: request.Method, Operation: operation},
		},
		Status:  response.StatusCode,
		Header:  response.Header,
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	}
	return openapi3filter.ValidateResponse(request.Context(), input.SetBodyBytes(body))
}

// find returns what the description has for a path; nil: nothing.
func find(doc *openapi3.T, requested string) *openapi3.PathItem {
	variable := regexp.MustCompile(`\{\w+\}`)
	for described, item := range doc.Paths.Map() {
		if ok, err := path.Match(variable.ReplaceAllString(described, "?*"), requested); ok && err == nil {
			return item
		}
	}
	return nil
}

// validateUnrouted checks the answer to a request for which there is no operation.
func validateUnrouted(doc *openapi3.T, response *http.Response, body []byte) error {
	if response.StatusCode < 400 {
		return errors.New("the operation is not described")
	}
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{
			Request: new(http.Request),
			Route: &routers.Route{Spec: doc, Operation: &openapi3.Operation{
				Responses: openapi3.NewResponses(openapi3.WithStatus(response.StatusCode, &openapi3.ResponseRef{Value: openapi3.NewResponse().
					WithContent(openapi3.NewContentWithJSONSchemaRef(doc.Components.Schemas["GatewayErrorResponse"]))})),
			}},
		},
		Status: response.StatusCode,
		Header: response.Header,
	}
	return openapi3filter.ValidateResponse(context.Background(), input.SetBodyBytes(body))
}

// validateNotModified checks what kin-openapi does not check for status 304.
func validateNotModified(operation *openapi3.Operation, response *http.Response, body []byte) error {
	described := operation.Responses.Status(response.StatusCode)
	if described == nil {
		return errors.New("status 304 is not described")
	}
	if len(body) > 0 {
		return errors.New("it has a body")
	}
	for name, header := range described.Value.Headers {
		values := response.Header.Values(name)
		if len(values) != 1 {
			return fmt.Errorf("it has %d fields %s", len(values), name)
		}
		if err := header.Value.Schema.Value.VisitJSON(values[0], openapi3.EnableJSONSchema2020()); err != nil {
			return fmt.Errorf("its field %s: %w", name, err)
		}
	}
	return nil
}
