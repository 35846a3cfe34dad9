package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// check lets a contender answer every test case and reports all that it answers otherwise.
func check(bed *testbed, p program) error {
	i, _, err := start(bed, p)
	if err != nil {
		return err
	}
	defer i.End()
	list, err := testCases(bed.keys)
	if err != nil {
		return err
	}
	if p.hello {
		list = list[:1]
	}
	var problems []error
	for _, t := range list {
		event, err := event(t.request)
		if err != nil {
			return err
		}
		bed.database.failPuts.Store(t.failPuts)
		bed.database.remember(false) // so that nothing is there to archive
		bed.database.take()
		c, err := i.invoke(event)
		bed.database.failPuts.Store(false)
		if err != nil {
			return errors.Join(append(problems, fmt.Errorf("%s: %w", t.name, err))...)
		}
		err = t.checkAnswer(c.answer)
		if err == nil && !p.hello {
			calls := bed.database.take()
			if p.archives {
				calls = slices.DeleteFunc(calls, func(c databaseCall) bool {
					return c.operation == "Query" || c.operation == "GetItem" && bytes.Contains(c.input, []byte(settingsTable))
				})
			}
			err = t.checkCalls(calls)
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", t.name, err))
		}
	}
	return errors.Join(problems...)
}

func (t testCase) checkAnswer(answer []byte) error {
	r, err := readResponse(answer)
	if err != nil {
		return err
	}
	var body struct {
		Success bool
		Message string
	}
	if err := json.Unmarshal([]byte(r.Body), &body); err != nil {
		return fmt.Errorf("status %d, body %.200q: %w", r.StatusCode, r.Body, err)
	}
	good := t.status[0] == 200
	if !slices.Contains(t.status, r.StatusCode) || body.Message != t.message || body.Success != good ||
		good && r.Body != success {
		return fmt.Errorf("status %d, body %.200q; want %d, %q", r.StatusCode, r.Body, t.status, t.message)
	}
	return nil
}

// checkItem checks that an item has the key and all of the settings.
func (t testCase) checkItem(item json.RawMessage) error {
	var key struct{ OrgID struct{ S string } }
	if err := json.Unmarshal(item, &key); err != nil {
		return err
	}
	if key.OrgID.S != t.org && !t.failPuts {
		return fmt.Errorf("it wrote the settings of %q", key.OrgID.S)
	}
	return checkStored(item, strings.TrimSuffix(strings.TrimPrefix(t.request.body, `{"settings":`), "}"))
}

// checkCalls expects one consistent read of the user, and one write of the organization's settings.
func (t testCase) checkCalls(calls []databaseCall) error {
	puts := 0
	for n, c := range calls {
		var in struct {
			TableName      string
			ConsistentRead bool
			Item           json.RawMessage
		}
		if err := json.Unmarshal(c.input, &in); err != nil {
			return err
		}
		switch {
		case c.operation == "GetItem" && n == 0 && in.TableName == usersTable && in.ConsistentRead:
		case c.operation == "PutItem" && n > 0 && in.TableName == settingsTable:
			puts++
			if err := t.checkItem(in.Item); err != nil {
				return err
			}
		default:
			return fmt.Errorf("call %d of the database is %s %.300s", n+1, c.operation, c.input)
		}
	}
	switch {
	case t.org != "" && (len(calls) != 2 || puts != 1):
		return fmt.Errorf("%d calls of the database, %d of them writes; want 2 and 1", len(calls), puts)
	case t.org == "" && !t.failPuts && puts != 0:
		return errors.New("it wrote")
	case t.early && len(calls) != 0:
		return errors.New("it called the database for a request that it refused")
	}
	return nil
}
