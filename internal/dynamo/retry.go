package dynamo

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
)

// Timeouts and retries. The SDK's defaults have no timeout for an answer and wait up to 20 seconds between attempts.
const (
	operationTimeout = 2 * time.Second // all attempts of one operation
	attemptTimeout   = 900 * time.Millisecond
	maxAttempts      = 4
	firstBackoff     = 20 * time.Millisecond // doubled for each attempt
	maxBackoff       = 100 * time.Millisecond
)

// options sets the retries of the client. Every request may be repeated: a read changes nothing, and a put recognizes
// that an earlier attempt has succeeded.
func options(o *dynamodb.Options) {
	o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = maxAttempts
		o.Backoff = retry.BackoffDelayerFunc(backoff)
		// The SDK does not retry these, since not every put may be repeated.
		conflicts := retry.RetryableErrorCode{Codes: map[string]struct{}{
			"ReplicatedWriteConflictException": {}, "TransactionConflictException": {},
		}}
		o.Retryables = append([]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(isCutOff), conflicts}, o.Retryables...)
		// The SDK's retry quota is not refilled by a retry that ends in a failed condition, and would run out.
		// maxAttempts and operationTimeout bound the retries instead.
		o.RateLimiter = ratelimit.None
	})
	o.RetryMaxAttempts = 0 // AWS_MAX_ATTEMPTS would be put on top of the retryer
	// The SDK only logs a wrong checksum, as plain text among our lines of JSON.
	o.DisableValidateResponseChecksum = true
	o.Logger = logging.Nop{}
	o.ClientLogMode = 0
}

// backoff is half fixed and half random, so that clients that failed together do not retry together.
func backoff(attempt int, _ error) (time.Duration, error) {
	d := min(firstBackoff<<attempt, maxBackoff)
	return d/2 + rand.N(d/2), nil
}

// isCutOff reports whether the answer was a success that could not be read. The SDK does not retry it by itself.
func isCutOff(err error) aws.Ternary {
	if _, ok := errors.AsType[*smithy.DeserializationError](err); ok {
		return aws.TrueTernary
	}
	return aws.UnknownTernary
}
