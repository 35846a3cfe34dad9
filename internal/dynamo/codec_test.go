package dynamo

import (
	"bytes"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/klauspost/compress/zstd"
)

// Frames of an item that expand without end are refused, and cost little memory until then. This test runs alone, since
// it counts what the process allocates.
func TestBombs(t *testing.T) {
	frame := func(window int, write func(io.Writer)) []byte {
		var b bytes.Buffer
		e, err := zstd.NewWriter(&b, zstd.WithWindowSize(window), zstd.WithEncoderLevel(zstd.SpeedDefault))
		if err != nil {
			t.Fatal(err)
		}
		write(e)
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	spaces := bytes.Repeat([]byte(" "), 1<<20)
	gigabyte := frame(256<<10, func(w io.Writer) {
		for range 1 << 10 {
			w.Write(spaces)
		}
	})
	small := frame(256<<10, func(w io.Writer) { w.Write(spaces[:390_000]) })
	skippable := "\x50\x2a\x4d\x18\x00\x00\x00\x00"
	for name, value := range map[string][]byte{
		"a gigabyte":           gigabyte,
		"ten thousand frames":  bytes.Repeat(small, 400_000/len(small)),
		"a large window":       frame(64<<20, func(w io.Writer) { w.Write(spaces) }),
		"a size that is a lie": append([]byte("\x28\xb5\x2f\xfd\xe0\xff\xff\xff\xff\xff\xff\xff\x7f"), small[6:]...),
		"skippable frames":     []byte(strings.Repeat(skippable, 400_000/len(skippable))),
	} {
		codec := newCodec()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		text, err := codec.decode(&types.AttributeValueMemberB{Value: value})
		runtime.ReadMemStats(&after)
		allocated := after.TotalAlloc - before.TotalAlloc
		t.Logf("%s, %d bytes: %d KB are allocated, %v", name, len(value), allocated>>10, err)
		if allocated > 8<<20 || err == nil && len(text) > 0 {
			t.Errorf("%s: %d bytes of text, error %v, %d bytes allocated", name, len(text), err, allocated)
		}
	}
}
