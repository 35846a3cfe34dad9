package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"
)

// database reads memberships and puts settings. What it returns is valid until
// the next call.
type database struct {
	conn            *conn
	signer          *signer
	users, settings string // names of the tables

	body, request []byte // reused
}

// newDatabase opens the connection.
func newDatabase(bundle authorities) (*database, error) {
	endpoint, err := url.Parse(os.Getenv("AWS_ENDPOINT_URL_DYNAMODB"))
	if err != nil {
		return nil, err
	}
	db := &database{
		conn:     &conn{dial: bundle.dialer(endpoint)},
		signer:   newSigner(endpoint.Host),
		users:    os.Getenv("USERS_TABLE"),
		settings: os.Getenv("SETTINGS_TABLE"),
	}
	return db, db.conn.open()
}

// membership is what the users table has of a user.
type membership struct {
	org      []byte // empty: none
	mayWrite bool
}

const roleAdministrator = 0xfe

func (db *database) membership(user []byte) (membership, error) {
	b := append(db.body[:0], `{"TableName":"`...)
	b = append(b, db.users...)
	b = append(b, `","ConsistentRead":true,"Key":{"userId":{"S":"`...)
	b = escape(b, user)
	b = append(b, `"}}}`...)
	db.body = b

	m := membership{mayWrite: true} // a member without a role may write
	answer, err := db.do("GetItem")
	if err != nil {
		return m, err
	}
	ok := each(answer, func(name, item []byte) {
		if string(name) != "Item" {
			return
		}
		each(item, func(name, attribute []byte) {
			each(attribute, func(kind, value []byte) {
				switch string(name) + " " + string(kind) {
				case "orgId S":
					m.org = str(value)
				case "role N":
					m.mayWrite = number(str(value)) >= roleAdministrator
				}
			})
		})
	})
	if !ok {
		return m, errors.New("answer of GetItem is not JSON")
	}
	return m, nil
}

// put stores the document, escaped for a JSON string, as text in one attribute.
func (db *database) put(org, document []byte, now time.Time) error {
	b := append(db.body[:0], `{"TableName":"`...)
	b = append(b, db.settings...)
	b = append(b, `","Item":{"orgId":{"S":"`...)
	b = escape(b, org)
	b = append(b, `"},"updatedAt":{"S":"`...)
	b = now.AppendFormat(b, time.RFC3339)
	b = append(b, `"},"settings":{"S":"`...)
	b = append(b, document...)
	b = append(b, `"}}}`...)
	db.body = b
	_, err := db.do("PutItem")
	return err
}

// do sends db.body.
func (db *database) do(operation string) ([]byte, error) {
	db.request = db.signer.appendRequest(db.request[:0], operation, db.body, time.Now().UTC())
	answer, err := db.conn.do(db.request)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", operation, err)
	case answer.status != 200:
		return nil, fmt.Errorf("%s: status %d: %s", operation, answer.status, answer.body)
	}
	return answer.body, nil
}
