package dynamodb

import (
	"errors"
	"fmt"
)

// The types of failure, as they go over the wire.
const (
	conditionalCheckFailed = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"
	resourceInUse          = "com.amazonaws.dynamodb.v20120810#ResourceInUseException"
	resourceNotFound       = "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"
	missingAuthentication  = "com.amazon.coral.service#MissingAuthenticationTokenException"
	internalServerError    = "com.amazonaws.dynamodb.v20120810#InternalServerError"
	requestTooLarge        = "com.amazon.coral.service#RequestEntityTooLargeException"
	serialization          = "com.amazon.coral.service#SerializationException"
	unknownOperation       = "com.amazon.coral.service#UnknownOperationException"
	validation             = "com.amazon.coral.validate#ValidationException"
)

// failure is an error answer.
type failure struct {
	Type    string `json:"__type"`
	Message string `json:"message"`
	Item    item   `json:"Item,omitzero"`

	status int // 0: 400
}

func (f *failure) Error() string { return f.Message }

func invalid(format string, args ...any) error {
	return &failure{Type: validation, Message: fmt.Sprintf(format, args...)}
}

// failureOf returns err as a failure. Every other error comes from reading the
// request: nothing else can fail.
func failureOf(err error) *failure {
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	return &failure{Type: serialization, Message: err.Error()}
}
