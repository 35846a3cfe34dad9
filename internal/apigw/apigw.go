// Package apigw lets an [http.Handler] serve the events of an API Gateway HTTP
// API (payload format 2.0) as a Lambda function.
//
// It owns the translation and nothing else: it knows no route and no body.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
package apigw

import (
	"context"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// Header fields of the request that the gateway, Lambda and this package set: what a
// client sends under these names never arrives.
const (
	requestIDField = "Apigw-Requestid"
	lambdaIDField  = "Lambda-Runtime-Aws-Request-Id"
	foreignField   = "Apigw-Foreign-Event"
)

// margin is left of Lambda's deadline for the answer to get out.
const margin = 500 * time.Millisecond

// Handler serves events by an [http.Handler]. It implements the Handler
// interface of github.com/aws/aws-lambda-go/lambda.
type Handler struct {
	next http.Handler
}

// New returns a Handler that serves by next.
func New(next http.Handler) *Handler { return &Handler{next: next} }

// Invoke serves one event. The request that next gets has
//
//   - the path of the route that the gateway chose or, for a catch-all route, the path of
//     the request without the name of the stage,
//   - header fields as the gateway joined them, and the cookies as one Cookie field,
//   - the gateway's request id in Apigw-Requestid and Lambda's in
//     Lambda-Runtime-Aws-Request-Id, whatever the client sent there,
//   - a body that is decoded from base64 where the event says so; if it cannot be,
//     reading it fails,
//   - a context that ends 500 ms before Lambda's deadline.
//
// A payload that is no such event becomes a request without method and path. Its field
// Apigw-Foreign-Event says what the payload is. The error is always nil: Lambda would count
// it as a failure of the function.
func (h *Handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	ev, foreign := readEvent(payload)
	if foreign != nil {
		ev = &event{header: make(http.Header)}
	}
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-margin))
		defer cancel()
	}
	r := ev.request(ctx)
	r.Header.Set(requestIDField, ev.requestID)
	r.Header.Del(foreignField)
	if foreign != nil {
		r.Header.Set(foreignField, foreign.Error())
	}
	r.Header.Del(lambdaIDField)
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		r.Header.Set(lambdaIDField, lc.AwsRequestID)
	}
	w := &response{header: make(http.Header)}
	h.next.ServeHTTP(w, r)
	return w.payload(), nil
}
