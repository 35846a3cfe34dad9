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

// How long the database is waited for. The client's own defaults have no
// timeout for an answer and pause up to 20 seconds between attempts.
const (
	operationTimeout = 2 * time.Second
	attemptTimeout   = 900 * time.Millisecond
	maxAttempts      = 4
	firstPause       = 20 * time.Millisecond // doubled each time
	longestPause     = 100 * time.Millisecond
)

// patience sets how long and how often the client tries. Every request may be
// repeated: reads change nothing, and puts recognise an earlier attempt.
func patience(o *dynamodb.Options) {
	o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = maxAttempts
		o.Backoff = retry.BackoffDelayerFunc(pause)
		o.Retryables = append([]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(isCutOff)}, o.Retryables...)
		// The client's quota is not refilled by a retry that ends in a failed condition
		// and would run dry; attempts are bounded by number and time instead.
		o.RateLimiter = ratelimit.None
	})
	// A failed checksum is nothing but a line in the log, and the log is ours.
	o.DisableValidateResponseChecksum = true
	o.Logger = logging.Nop{}
	o.ClientLogMode = 0
}

// pause is half fixed and half random, so that clients that failed together do
// not return together.
func pause(attempt int, _ error) (time.Duration, error) {
	d := min(firstPause<<attempt, longestPause)
	return d/2 + rand.N(d/2), nil
}

// isCutOff says whether a success was announced but could not be read. The
// client does not repeat such a request of its own accord.
func isCutOff(err error) aws.Ternary {
	if _, ok := errors.AsType[*smithy.DeserializationError](err); ok {
		return aws.TrueTernary
	}
	return aws.UnknownTernary
}
