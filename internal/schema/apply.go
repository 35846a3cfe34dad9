package schema

import (
	"crypto/sha256"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// checkInPlace checks the subschemas that apply to the same value.
func (e *evaluation) checkInPlace(p *part, at int, evaluated marks, loud bool) bool {
	ok := true
	also := func(sub *jsonschema.Schema) {
		if sub != nil && !e.over(ok, loud) {
			ok = e.check(e.schema.parts[sub], at, evaluated, loud) && ok
		}
	}
	also(p.Ref)
	if p.DynamicRef != nil {
		also(e.dynamic(p.DynamicRef))
	}
	for _, sub := range p.AllOf {
		also(sub)
	}
	if len(p.AnyOf) > 0 && e.countMatches(p.AnyOf, at, evaluated, evaluated != nil) == 0 {
		ok = e.refuse(loud, at, "must match at least one of %d alternatives", len(p.AnyOf))
	}
	if len(p.OneOf) > 0 {
		if n := e.countMatches(p.OneOf, at, evaluated, true); n != 1 {
			ok = e.refuse(loud, at, "must match exactly one of %d alternatives, and matches %d", len(p.OneOf), n)
		}
	}
	if p.Not != nil && e.countMatches([]*jsonschema.Schema{p.Not}, at, nil, true) == 1 {
		ok = e.refuse(loud, at, "must not match what the schema excludes by not")
	}
	if p.If != nil {
		if e.countMatches([]*jsonschema.Schema{p.If}, at, evaluated, true) == 1 {
			also(p.Then)
		} else {
			also(p.Else)
		}
	}
	if e.doc[at].kind == '{' {
		for name, sub := range p.DependentSchemas {
			if e.member(at, name) {
				also(sub)
			}
		}
	}
	return ok
}

// countMatches returns how many of the subschemas the value obeys, or 1 after the first one unless all is set. Only these
// add to evaluated.
func (e *evaluation) countMatches(subs []*jsonschema.Schema, at int, evaluated marks, all bool) (n int) {
	for _, sub := range subs {
		var own marks
		if evaluated != nil {
			own = e.newMarks(at)
		}
		if e.check(e.schema.parts[sub], at, own, false) {
			n++
			evaluated.add(own)
			if !all {
				return n
			}
		}
		if e.left < 0 {
			return n
		}
	}
	return n
}

// dynamic returns what a $dynamicRef refers to.
func (e *evaluation) dynamic(r *jsonschema.DynamicRef) *jsonschema.Schema {
	if r.Anchor == "" || r.Ref.DynamicAnchor != r.Anchor {
		return r.Ref
	}
	for _, resource := range e.scope {
		e.spend(1)
		if target, ok := e.schema.anchors[dynamicAnchor{resource, r.Anchor}]; ok {
			return target.Schema
		}
	}
	return r.Ref
}

// member says whether an object has a member.
func (e *evaluation) member(at int, name string) bool {
	e.spend(1 + e.doc.count(at)*(1+len(name)/512)/8)
	return e.doc.member(at, name) > 0
}

func (e *evaluation) checkMembers(p *part, at int, evaluated marks, loud bool) bool {
	ok := true
	demand := func(names []string, because string, args ...any) {
		for _, name := range names {
			if e.over(ok, loud) {
				return
			}
			if !e.member(at, name) {
				ok = e.refuse(loud, at, "must have the member %q"+because, append([]any{shortened(name)}, args...)...)
			}
		}
	}
	demand(p.Required, "")
	for name, names := range p.DependentRequired {
		if e.member(at, name) {
			demand(names, ", as it has %q", shortened(name))
		}
	}
	i := -1
	for child := range e.doc.children(at) {
		if i++; e.over(ok, loud) {
			return false
		}
		name, known := e.doc[child].name, false
		e.spend(len(name) / 512)
		also := func(sub *jsonschema.Schema) {
			known = true
			ok = e.check(e.schema.parts[sub], child, nil, loud) && ok
		}
		if sub := p.Properties[name]; sub != nil {
			also(sub)
		}
		for expression, sub := range p.PatternProperties {
			if e.matches(expression, name) {
				also(sub)
			}
		}
		if !known {
			switch additional := p.AdditionalProperties.(type) {
			case bool:
				known = true
				if !additional {
					ok = e.refuse(loud, child, "is not allowed")
				}
			case *jsonschema.Schema:
				also(additional)
			}
		}
		if known && evaluated != nil {
			evaluated[i] = true
		}
		if p.PropertyNames != nil && !e.checkName(e.schema.parts[p.PropertyNames], child, loud) {
			ok = false
		}
	}
	return ok
}

// checkName checks the name of a member.
func (e *evaluation) checkName(p *part, at int, loud bool) bool {
	doc, violations := e.doc, e.violations
	e.doc, e.violations = tree{{kind: '"', size: 1, text: doc[at].name}}, nil
	ok := e.check(p, 0, nil, loud)
	of := e.violations
	e.doc, e.violations = doc, violations
	for _, v := range of {
		e.refuse(loud, at, "its name %s", v.words)
	}
	return ok
}

func (e *evaluation) checkItems(p *part, at int, evaluated marks, loud bool) bool {
	ok, matched, i := true, 0, -1
	var seen map[[sha256.Size]byte]bool
	if p.UniqueItems && e.doc.count(at) > 1 {
		seen = make(map[[sha256.Size]byte]bool)
	}
	for child := range e.doc.children(at) {
		if i++; e.over(ok, loud) {
			return false
		}
		sub := p.Items2020
		if i < len(p.PrefixItems) {
			sub = p.PrefixItems[i]
		}
		if sub != nil {
			ok = e.check(e.schema.parts[sub], child, nil, loud) && ok
		}
		known := sub != nil
		if p.Contains != nil && e.check(e.schema.parts[p.Contains], child, nil, false) {
			matched++
			known = true
		}
		if known && evaluated != nil {
			evaluated[i] = true
		}
		if seen != nil {
			hash := sha256.Sum256(e.canonical(child))
			if seen[hash] {
				ok = e.refuse(loud, child, "must differ from the items before it")
			}
			seen[hash] = true
		}
	}
	if p.Contains == nil {
		return ok
	}
	least := 1
	if p.MinContains != nil {
		least = *p.MinContains
	}
	if matched < least {
		ok = e.refuse(loud, at, "must contain at least %s that the schema asks for by contains", plural(least, "item"))
	}
	if p.MaxContains != nil && matched > *p.MaxContains {
		ok = e.refuse(loud, at, "must contain at most %s that the schema limits by contains", plural(*p.MaxContains, "item"))
	}
	return ok
}
