// Package documents makes settings documents of an exact size, for measurements.
package documents

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
)

// Settings returns a JSON object of exactly size bytes (at least 256) that looks like an organization's settings:
// nested objects, random ids, names, flags and numbers. The same seed gives the same document.
func Settings(size int, seed uint64) string {
	r := rand.New(rand.NewPCG(seed, uint64(size)))
	names := []string{"Finance", "Engineering", "Legal", "Marketing", "Operations", "Research", "Sales", "Support"}
	storage := []string{"S3", "GCS", "AZURE"}
	roles := []string{`"viewer"`, `"editor"`, `"viewer","editor"`, `"viewer","editor","approver"`}
	return filled(size, `{"version":3,"defaultStorageType":"S3","maxFileSize":"10GB","workspaces":[`, func(n int) string {
		return fmt.Sprintf(`{"id":"%s","name":"%s %d","enabled":%t,"storage":{"type":"%s","retentionDays":%d,"versioned":%t},`+
			`"limits":{"seats":%d,"maxFileSize":"%dGB"},"security":{"requireMFA":%t,"sessionTimeout":%d},"roles":[%s]}`,
			uuid(r), names[r.IntN(len(names))], n, r.IntN(4) > 0, storage[r.IntN(len(storage))], 30*(1+r.IntN(12)), r.IntN(2) == 0,
			r.IntN(500), 1+r.IntN(50), r.IntN(2) == 0, 900*(1+r.IntN(8)), roles[r.IntN(len(roles))])
	}, `],"note":"`, `"}`)
}

// Random returns a JSON object of exactly size bytes (at least 256) that holds little but random text, which is hard
// to compress.
func Random(size int, seed uint64) string {
	r := rand.New(rand.NewPCG(seed, uint64(size)))
	return filled(size, `{"blobs":[`, func(int) string {
		b := make([]byte, 96)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return `"` + base64.RawURLEncoding.EncodeToString(b) + `"`
	}, `],"note":"`, `"}`)
}

// filled returns head, as many elements as fit, middle, padding, and tail.
func filled(size int, head string, element func(n int) string, middle, tail string) string {
	var b strings.Builder
	b.Grow(size)
	b.WriteString(head)
	for n := 0; ; n++ {
		e := element(n)
		if n > 0 {
			e = "," + e
		}
		if b.Len()+len(e)+len(middle)+len(tail) > size {
			break
		}
		b.WriteString(e)
	}
	b.WriteString(middle)
	if padding := size - b.Len() - len(tail); padding > 0 {
		b.WriteString(strings.Repeat("x", padding))
	}
	b.WriteString(tail)
	return b.String()
}

func uuid(r *rand.Rand) string {
	var b [16]byte
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	id := hex.EncodeToString(b[:])
	return id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:]
}
