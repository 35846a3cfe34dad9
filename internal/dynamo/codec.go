package dynamo

import (
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/klauspost/compress/zstd"

	"orgsettings/internal/settings"
)

// compressFrom is the size in bytes above which a document is compressed. Smaller texts gain little: a write is billed
// for each KB begun.
const compressFrom = 4096

// codec turns the text of a document into an attribute and back. The attribute is the text itself (S) or, if that is
// smaller, a Zstandard frame (B, RFC 8878). Encoder and decoder are made on first use, since many environments never
// need them.
type codec struct {
	encoder func() (*zstd.Encoder, error)
	decoder func() (*zstd.Decoder, error)
}

func newCodec() *codec {
	return &codec{
		encoder: sync.OnceValues(func() (*zstd.Encoder, error) {
			return zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest),
				zstd.WithWindowSize(128<<10), zstd.WithLowerEncoderMem(true))
		}),
		decoder: sync.OnceValues(func() (*zstd.Decoder, error) {
			return zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(settings.MaxDocumentBytes))
		}),
	}
}

func (c *codec) encode(text []byte) (types.AttributeValue, error) {
	if len(text) > compressFrom {
		encoder, err := c.encoder()
		if err != nil {
			return nil, fmt.Errorf("compress: %w", err)
		}
		if frame := encoder.EncodeAll(text, make([]byte, 0, len(text)/4)); len(frame) < len(text) {
			return &types.AttributeValueMemberB{Value: frame}, nil
		}
	}
	return &types.AttributeValueMemberS{Value: string(text)}, nil
}

func (c *codec) decode(v types.AttributeValue) ([]byte, error) {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return []byte(v.Value), nil
	case *types.AttributeValueMemberB:
		decoder, err := c.decoder()
		if err != nil {
			return nil, fmt.Errorf("decompress: %w", err)
		}
		text, err := decoder.DecodeAll(v.Value, nil)
		if err != nil {
			return nil, fmt.Errorf("decompress: %w", err)
		}
		return text, nil
	default:
		return nil, fmt.Errorf("it is a %T", v)
	}
}
