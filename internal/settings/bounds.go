package settings

import (
	"bytes"
	"fmt"
)

// Bounds of what a request names.
const (
	// MaxKeys bounds how many keys are removed at once.
	MaxKeys = 1_000
	// MaxKeyBytes bounds their length together.
	MaxKeyBytes = MaxDocumentBytes
	// maxNames and maxNameBytes bound the names of members in a body, beside the document too. The decoder keeps the names
	// of an object to find duplicates, at about 100 bytes each, and writes those above an error into its place. No document
	// within its own limit has as many.
	maxNames     = 100_000
	maxNameBytes = 500_000
)

// Keys collects the keys of one removal. Above [MaxKeys] and [MaxKeyBytes] it only counts.
type Keys struct {
	list         []string
	count, bytes int
}

// Add adds a key.
func (k *Keys) Add(key string) {
	k.count++
	k.bytes += len(key)
	if k.count <= MaxKeys && k.bytes <= MaxKeyBytes {
		k.list = append(k.list, key)
	}
}

// List returns the keys, or an [*InvalidError] unless they are one to [MaxKeys] and within [MaxKeyBytes].
func (k *Keys) List() ([]string, error) {
	switch {
	case k.count == 0 || k.count > MaxKeys:
		return nil, NewInvalidError(fmt.Sprintf("%d keys are given, 1 to %d are allowed", k.count, MaxKeys))
	case k.bytes > MaxKeyBytes:
		return nil, NewInvalidError(fmt.Sprintf("the keys have %d bytes together, the limit is %d", k.bytes, MaxKeyBytes))
	}
	return k.list, nil
}

// checkNames returns a [*TooLargeError] if text, which need not be JSON, has more names of members than may be.
func checkNames(text []byte) error {
	if len(text) <= maxNameBytes && bytes.Count(text, []byte{':'}) <= maxNames {
		return nil
	}
	names, nameBytes, length := 0, 0, 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case ':':
			names++
			nameBytes += length
		case '"':
			begin := i + 1
			for i++; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
			length = i - begin
		}
	}
	if names <= maxNames && nameBytes <= maxNameBytes {
		return nil
	}
	return &TooLargeError{other: fmt.Sprintf(
		"body has %d names of members with %d bytes together, the limit is %d names with %d bytes",
		names, nameBytes, maxNames, maxNameBytes,
	)}
}
