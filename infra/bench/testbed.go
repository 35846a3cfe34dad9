package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"orgsettings/infra/local/template"
)

// Tables are called by their logical ids, as in the local stack.
const usersTable, settingsTable, historyTable = "UsersTable", "SettingsTable", "HistoryTable"

const (
	roundTrip = 2 * time.Millisecond  // to the database
	keysDelay = 20 * time.Millisecond // of an answer with the signing keys
)

// testbed is what a contender finds around it.
type testbed struct {
	root, dir string // of the repository; of temporary files, absolute
	template  *template.Template
	ca        *ca
	database  *database
	keys      *keys
}

// newTestbed starts everything, with temporary files in a directory of its own under dir.
func newTestbed(root, dir string) (_ *testbed, err error) {
	b := &testbed{root: root}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if b.dir, err = os.MkdirTemp(dir, "run-"); err != nil {
		return nil, err
	}
	if b.template, err = template.Load(filepath.Join(root, "template.yaml")); err != nil {
		return nil, err
	}
	if b.ca, err = newCA(filepath.Join(b.dir, "ca-trust")); err != nil {
		return nil, fmt.Errorf("make certificates: %w", err)
	}
	if b.keys, err = newKeys(b.ca.certificate); err != nil {
		return nil, err
	}
	b.database, err = newDatabase(b.ca.certificate)
	return b, err
}

func (b *testbed) close() {
	if b.keys != nil {
		b.keys.server.Close()
	}
	if b.database != nil {
		b.database.close()
	}
	os.RemoveAll(b.dir) // what stays is in .build
}

// environment returns the variables of a function besides those that Lambda sets. The last one of a name wins.
func (b *testbed) environment(c contender) []string {
	var env []string
	if c.deployed {
		for name, value := range b.template.Environment {
			env = append(env, name+"="+value.Text)
		}
	} else {
		// In Lambda, Go and others know these directories without a variable. The deployed program reads one file.
		env = append(env, "SSL_CERT_DIR="+b.ca.directories)
	}
	env = append(env,
		"AWS_REGION=eu-central-1",
		"AWS_DEFAULT_REGION=eu-central-1",
		"AWS_ACCESS_KEY_ID=local",
		"AWS_SECRET_ACCESS_KEY=local",
		"AWS_SESSION_TOKEN=local",
		"AWS_ENDPOINT_URL_DYNAMODB="+b.database.url(),
		"SSL_CERT_FILE="+b.ca.bundle,
		"NODE_EXTRA_CA_CERTS="+b.ca.root,
		"JWT_ISSUER="+jwtIssuer,
		"JWT_AUDIENCE="+jwtAudience,
		"JWKS_URL="+b.keys.url,
		"USERS_TABLE="+usersTable,
		"SETTINGS_TABLE="+settingsTable,
	)
	return append(env, c.env...)
}
