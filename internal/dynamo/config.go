package dynamo

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
)

// LoadConfig returns the SDK's default configuration as AWS documents its environment variables
// (https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html). Instance metadata and shared files are
// not asked: Lambda has neither. It sends no request. Its error joins one for each setting that is missing or wrong.
//
// [New] bounds time and attempts itself, so that AWS_MAX_ATTEMPTS, AWS_RETRY_MODE and AWS_DEFAULTS_MODE change nothing.
// Account-based endpoints are used if AWS_ACCOUNT_ID is set, which Lambda does not do.
func LoadConfig(ctx context.Context) (aws.Config, error) {
	cfg, err := config.LoadDefaultConfig(ctx,
		config.WithEC2IMDSClientEnableState(imds.ClientDisabled),
		config.WithSharedConfigFiles([]string{}), // nil would stand for those in the home directory
		config.WithSharedCredentialsFiles([]string{}),
	)
	if err != nil {
		return aws.Config{}, err
	}
	var problems []error
	if cfg.Region == "" {
		problems = append(problems, errors.New("AWS_REGION is not set"))
	}
	// Any other provider would look for credentials over the network, at the first request.
	if !aws.IsCredentialsProvider(cfg.Credentials, credentials.StaticCredentialsProvider{}) {
		problems = append(problems, errors.New("AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY is not set"))
	}
	return cfg, errors.Join(problems...)
}
