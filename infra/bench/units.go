package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// itemSize returns how many bytes DynamoDB counts for an item in the JSON of its API: the names and
// the values, UTF-8 text as it is, binary without base64, numbers by two digits a byte.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
func itemSize(item json.RawMessage) (int, error) {
	decoder := json.NewDecoder(bytes.NewReader(item))
	decoder.UseNumber()
	var attributes map[string]map[string]any
	if err := decoder.Decode(&attributes); err != nil {
		return 0, fmt.Errorf("read an item: %w", err)
	}
	size := 0
	for name, value := range attributes {
		n, err := valueSize(value)
		if err != nil {
			return 0, fmt.Errorf("measure attribute %s: %w", name, err)
		}
		size += len(name) + n
	}
	return size, nil
}

// overhead is what a map or list takes besides what it holds: itself, and each of its elements.
const overhead, perElement = 3, 1

func valueSize(value map[string]any) (int, error) {
	for kind, content := range value {
		switch v := content.(type) {
		case bool: // BOOL or NULL
			return 1, nil
		case string:
			switch kind {
			case "S":
				return len(v), nil
			case "N":
				return numberSize(v), nil
			case "B":
				decoded, err := base64.StdEncoding.DecodeString(v)
				return len(decoded), err
			}
		case map[string]any: // M
			size := overhead
			for name, element := range v {
				n, err := elementSize(element)
				if err != nil {
					return 0, err
				}
				size += len(name) + n
			}
			return size, nil
		case []any:
			size := overhead
			for _, element := range v {
				if kind != "L" { // SS, NS or BS
					element = map[string]any{strings.TrimSuffix(kind, "S"): element}
				}
				n, err := elementSize(element)
				if err != nil {
					return 0, err
				}
				size += n
			}
			return size, nil
		}
		return 0, fmt.Errorf("there is no type %s", kind)
	}
	return 0, errors.New("it has no type")
}

func elementSize(element any) (int, error) {
	value, ok := element.(map[string]any)
	if !ok {
		return 0, errors.New("an element is no value")
	}
	n, err := valueSize(value)
	return perElement + n, err
}

// numberSize is DynamoDB's own approximation.
func numberSize(n string) int {
	mantissa, _, _ := strings.Cut(strings.ToLower(n), "e")
	digits := strings.Trim(strings.NewReplacer("-", "", "+", "", ".", "").Replace(mantissa), "0")
	size := (len(digits)+1)/2 + 1
	if strings.HasPrefix(mantissa, "-") {
		size++
	}
	return size
}

// writeUnits returns what it costs to write an item of that size: one unit for each KB begun.
func writeUnits(size int) int { return max(1, (size+1023)/1024) }

// rawUnits returns what it costs to write a document of that size as text, with the key.
func rawUnits(document int) int {
	return writeUnits(len("orgId") + len(ownersOrg) + len("settings") + document)
}
