// Package template reads template.yaml (AWS SAM), so that the local stack and tests
// need not repeat it: the routes, limits and environment of the function, and the
// keys of the tables.
//
// It understands literals and references to parameters and tables. Only a
// deployment knows the values of other intrinsic functions. It knows nothing of
// what the routes, variables and tables are for.
package template

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Logical ids of the one function and the one API.
const (
	function = "SettingsFunction"
	api      = "SettingsApi"
)

// Template is the content of the file.
type Template struct {
	Routes      []string         // route keys of the function's HttpApi events, such as "GET /a", sorted
	Timeout     time.Duration    // of the function
	MemoryMB    int              // of the function
	Environment map[string]Value // of the function, by name
	Tables      map[string]Table // by logical id
	CORS        CORS             // of the API; zero if it has none
}

// Value is the value of an environment variable: a text, or the name of a table. It
// is zero if only a deployment knows it.
type Value struct {
	Text  string // a literal, or the default of a parameter
	Table string // logical id of a table; the value is the table's name
}

// Table is a DynamoDB table whose keys are of type S.
type Table struct {
	Key      string
	RangeKey string // or empty
}

// CORS is the API's CORS configuration without the origins, which are a parameter.
type CORS struct {
	AllowMethods  []string `yaml:"allowMethods"`
	AllowHeaders  []string `yaml:"-"`
	ExposeHeaders []string `yaml:"exposeHeaders"`
	MaxAge        int      `yaml:"maxAge"` // seconds
}

type document struct {
	Parameters map[string]struct {
		Default string `yaml:"Default"`
	} `yaml:"Parameters"`
	Resources map[string]struct {
		Type       string    `yaml:"Type"`
		Properties yaml.Node `yaml:"Properties"`
	} `yaml:"Resources"`
}

// Load reads the file at path. Its errors begin with path.
func Load(path string) (*Template, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, errors.Unwrap(err))
	}
	var doc document
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	t := &Template{Environment: make(map[string]Value), Tables: make(map[string]Table)}
	for _, id := range slices.Sorted(maps.Keys(doc.Resources)) {
		if r := doc.Resources[id]; r.Type == "AWS::DynamoDB::Table" {
			if t.Tables[id], err = readTable(r.Properties); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", path, id, err)
			}
		}
	}
	if err := t.readFunction(doc); err != nil {
		return nil, fmt.Errorf("%s: %s: %w", path, function, err)
	}
	if err := t.readAPI(doc); err != nil {
		return nil, fmt.Errorf("%s: %s: %w", path, api, err)
	}
	return t, nil
}

// readAPI reads the API's CORS configuration, which is the second part of an !If.
func (t *Template) readAPI(doc document) error {
	var p struct {
		DefinitionBody struct {
			CORS yaml.Node `yaml:"x-amazon-apigateway-cors"`
		} `yaml:"DefinitionBody"`
	}
	properties := doc.Resources[api].Properties
	if err := properties.Decode(&p); err != nil {
		return err
	}
	cors := p.DefinitionBody.CORS
	if cors.Tag == "!If" && len(cors.Content) == 3 {
		cors = *cors.Content[1]
	}
	if err := cors.Decode(&t.CORS); err != nil {
		return err
	}
	var headers struct {
		Allow yaml.Node `yaml:"allowHeaders"`
	}
	if err := cors.Decode(&headers); err != nil {
		return err
	}
	t.CORS.AllowHeaders = names(&headers.Allow, doc)
	return nil
}

// names lists the texts of a node and the defaults of the parameters that it refers
// to, which !Join and !Split put together with commas.
func names(node *yaml.Node, doc document) (list []string) {
	text := node.Value
	if node.Tag == "!Ref" {
		text = doc.Parameters[text].Default
	}
	for name := range strings.SplitSeq(text, ",") {
		if name != "" {
			list = append(list, name)
		}
	}
	for _, child := range node.Content {
		list = append(list, names(child, doc)...)
	}
	return list
}

func readTable(properties yaml.Node) (Table, error) {
	type attribute struct {
		Name    string `yaml:"AttributeName"`
		Type    string `yaml:"AttributeType"`
		KeyType string `yaml:"KeyType"`
	}
	var p struct {
		Definitions []attribute `yaml:"AttributeDefinitions"`
		Keys        []attribute `yaml:"KeySchema"`
	}
	if err := properties.Decode(&p); err != nil {
		return Table{}, err
	}
	unfit := func(key attribute) bool { return !slices.Contains(p.Definitions, attribute{Name: key.Name, Type: "S"}) }
	if len(p.Keys) < 1 || len(p.Keys) > 2 || slices.ContainsFunc(p.Keys, unfit) {
		return Table{}, errors.New("its key is not one or two attributes of type S")
	}
	table := Table{Key: p.Keys[0].Name}
	if len(p.Keys) == 2 {
		table.RangeKey = p.Keys[1].Name
	}
	return table, nil
}

func (t *Template) readFunction(doc document) error {
	resource, ok := doc.Resources[function]
	if !ok {
		return errors.New("there is no such resource")
	}
	var p struct {
		MemorySize  int `yaml:"MemorySize"`
		Timeout     int `yaml:"Timeout"`
		Environment struct {
			Variables map[string]yaml.Node `yaml:"Variables"`
		} `yaml:"Environment"`
		Events map[string]struct {
			Type       string `yaml:"Type"`
			Properties struct {
				Method string `yaml:"Method"`
				Path   string `yaml:"Path"`
			} `yaml:"Properties"`
		} `yaml:"Events"`
	}
	if err := resource.Properties.Decode(&p); err != nil {
		return err
	}
	switch {
	case p.Timeout <= 0:
		return errors.New("it lacks a Timeout")
	case p.MemorySize <= 0:
		return errors.New("it lacks a MemorySize")
	case len(p.Events) == 0:
		return errors.New("it has no Events")
	}
	t.Timeout, t.MemoryMB = time.Duration(p.Timeout)*time.Second, p.MemorySize
	for _, id := range slices.Sorted(maps.Keys(p.Events)) {
		event := p.Events[id]
		method, path := strings.ToUpper(event.Properties.Method), event.Properties.Path
		if event.Type != "HttpApi" {
			return fmt.Errorf("its event %s is a %s, not an HttpApi", id, event.Type)
		}
		if method == "" || !strings.HasPrefix(path, "/") {
			return fmt.Errorf("its event %s lacks a method or a path", id)
		}
		t.Routes = append(t.Routes, method+" "+path)
	}
	slices.Sort(t.Routes)
	for name, node := range p.Environment.Variables {
		t.Environment[name] = t.valueOf(&node, doc)
	}
	return nil
}

// valueOf looks for a table in the whole node. The stack may create a table or use
// an existing one: then one branch of an !If is the reference.
func (t *Template) valueOf(node *yaml.Node, doc document) Value {
	switch {
	case node.Kind == yaml.ScalarNode && node.Tag == "!Ref":
		if _, ok := t.Tables[node.Value]; ok {
			return Value{Table: node.Value}
		}
		return Value{Text: doc.Parameters[node.Value].Default}
	case node.Kind == yaml.ScalarNode && !isIntrinsic(node):
		return Value{Text: node.Value}
	}
	for _, part := range node.Content {
		if v := t.valueOf(part, doc); v.Table != "" {
			return v
		}
	}
	return Value{}
}

// isIntrinsic reports whether a node has a tag of CloudFormation, such as !Sub.
func isIntrinsic(node *yaml.Node) bool {
	return strings.HasPrefix(node.Tag, "!") && !strings.HasPrefix(node.Tag, "!!")
}
