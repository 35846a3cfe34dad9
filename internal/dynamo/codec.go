package dynamo

import (
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/klauspost/compress/zstd"

	"orgsettings/internal/settings"
)

// compressFrom is the size in bytes above which a document is compressed: a
// write of up to 1 KB costs one unit whatever its size, and small texts gain
// little.
const compressFrom = 4096

// codec turns the text of a document into an attribute and back: S as it is or,
// for a larger text that shrinks, B with a Zstandard frame (RFC 8878). Encoder
// and decoder are made on their first use, which for many environments is never.
type codec struct {
	encoder func() (*zstd.Encoder, error)
	decoder func() (*zstd.Decoder, error)
}

func newCodec() *codec {
	return &codec{
		encoder: sync.OnceValues(func() (*zstd.Encoder, error) {
			return zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(128<<10), zstd.WithLowerEncoderMem(true))
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
