// Package template holds no program. Its tests check what linters cannot know of the stack: that the template
// agrees with the code, that every alarm has a section in the runbook, that no permission is wider than
// necessary. They read the files and know nothing of how they are deployed.
package template

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const root = "../../.."

func text(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// object is a mapping of a document. Intrinsic functions have their long form: !Ref X is {"Ref": "X"}.
type object = map[string]any

func load(t *testing.T, name string) object {
	t.Helper()
	var node yaml.Node
	if err := yaml.Unmarshal([]byte(text(t, name)), &node); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	doc, err := value(node.Content[0])
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return doc.(object)
}

func value(n *yaml.Node) (any, error) {
	v, err := plain(n)
	switch {
	case err != nil || !strings.HasPrefix(n.Tag, "!") || strings.HasPrefix(n.Tag, "!!"):
		return v, err
	case n.Tag == "!Ref" || n.Tag == "!Condition":
		return object{n.Tag[1:]: v}, nil
	default:
		return object{"Fn::" + n.Tag[1:]: v}, nil
	}
}

func plain(n *yaml.Node) (any, error) {
	switch n.Kind {
	case yaml.AliasNode:
		return value(n.Alias)
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for _, item := range n.Content {
			v, err := value(item)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	case yaml.MappingNode:
		m := object{}
		for i := 0; i < len(n.Content); i += 2 {
			if _, twice := m[n.Content[i].Value]; twice {
				return nil, fmt.Errorf("line %d: %s is there twice", n.Content[i].Line, n.Content[i].Value)
			}
			v, err := value(n.Content[i+1])
			if err != nil {
				return nil, err
			}
			m[n.Content[i].Value] = v
		}
		return m, nil
	}
	if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
		return n.Value, nil
	}
	var v any
	return v, n.Decode(&v)
}

// at follows keys down from v. It returns nil if one is missing.
func at(v any, keys ...string) any {
	for _, key := range keys {
		m, _ := v.(object)
		v = m[key]
	}
	return v
}

// ofType returns the resources of one type by logical id.
func ofType(t *testing.T, doc object, kind string) map[string]object {
	t.Helper()
	found := map[string]object{}
	for id, r := range at(doc, "Resources").(object) {
		if at(r, "Type") == kind {
			found[id] = at(r, "Properties").(object)
		}
	}
	if len(found) == 0 {
		t.Fatalf("no resource of type %s", kind)
	}
	return found
}

func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// list returns a list as it is, and a single value as a list of one, as IAM reads them.
func list(v any) []any {
	if l, ok := v.([]any); ok {
		return l
	}
	return []any{v}
}

// walk calls visit with every mapping below v.
func walk(v any, visit func(object)) {
	switch v := v.(type) {
	case object:
		visit(v)
		for _, child := range v {
			walk(child, visit)
		}
	case []any:
		for _, child := range v {
			walk(child, visit)
		}
	}
}
