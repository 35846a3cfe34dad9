package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"orgsettings/infra/local/stack"
	"orgsettings/infra/local/template"
)

// Tables are called by their logical ids, as in the local stack.
const usersTable, settingsTable = "UsersTable", "SettingsTable"

// world is what a contender finds around it.
type world struct {
	root, dir string // of the repository; for what is made here, absolute
	template  *template.Template
	authority *authority
	database  *database // nil if an endpoint was given
	endpoint  string
	keys      *keys
}

// newWorld starts everything, with files in a directory of its own under dir. An endpoint takes the place of the stand-in for
// the database; it must accept any credentials, as DynamoDB Local does.
func newWorld(ctx context.Context, root, dir string, o options) (*world, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(dir, "run-")
	if err != nil {
		return nil, err
	}
	w := &world{root: root, dir: dir, endpoint: o.endpoint}
	if err := w.open(ctx, o); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *world) open(ctx context.Context, o options) (err error) {
	if w.template, err = template.Load(filepath.Join(w.root, "template.yaml")); err != nil {
		return err
	}
	if w.authority, err = newAuthority(w.dir); err != nil {
		return fmt.Errorf("make certificates: %w", err)
	}
	if w.keys, err = newKeys(filepath.Join(w.dir, "jwks.json"), o.keyDelay, w.authority.certificate); err != nil {
		return err
	}
	if o.endpoint != "" {
		return stack.FillDatabase(ctx, o.endpoint, w.template.Tables)
	}
	if w.database, err = newDatabase(w.authority.certificate, o.roundTrip); err != nil {
		return err
	}
	w.endpoint = w.database.url()
	return nil
}

func (w *world) close() {
	if w.keys != nil {
		w.keys.close()
	}
	if w.database != nil {
		w.database.close()
	}
	os.RemoveAll(w.dir) // what stays is nobody's loss
}

// scratch returns a directory for a contender's files.
func (w *world) scratch(kind, name string) (string, error) {
	dir := filepath.Join(w.dir, kind, strings.NewReplacer(", ", "-", " ", "-", "/", "-").Replace(name))
	return dir, os.MkdirAll(dir, 0o755)
}

// launch returns how to start a program from a copy of its artifact or the artifact itself.
func (w *world) launch(p program, artifact string) launch {
	return launch{
		name:    p.name,
		command: append(p.command[:len(p.command):len(p.command)], artifact),
		env:     w.environment(p.contender),
	}
}

// environment returns the variables of a function. What stands later wins.
func (w *world) environment(c contender) []string {
	var env []string
	if c.ours {
		for name, value := range w.template.Environment {
			env = append(env, name+"="+value.Text)
		}
	}
	// In Lambda these places are known without a variable; ours makes do with the file then.
	if !c.ours {
		env = append(env, "SSL_CERT_DIR="+w.authority.directories)
	}
	env = append(env,
		"AWS_LAMBDA_FUNCTION_NAME=bench",
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		fmt.Sprintf("AWS_LAMBDA_FUNCTION_MEMORY_SIZE=%d", w.template.MemoryMB),
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/bench",
		"AWS_LAMBDA_LOG_STREAM_NAME=2026/01/01/[$LATEST]0123456789abcdef0123456789abcdef",
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_EXECUTION_ENV=AWS_Lambda_provided.al2023",
		"_HANDLER=bootstrap",
		"TZ=:UTC",
		"PATH="+os.Getenv("PATH"),
		"AWS_REGION=eu-central-1",
		"AWS_DEFAULT_REGION=eu-central-1",
		"AWS_ACCESS_KEY_ID=local",
		"AWS_SECRET_ACCESS_KEY=local",
		"AWS_SESSION_TOKEN=local",
		"AWS_ENDPOINT_URL_DYNAMODB="+w.endpoint,
		"SSL_CERT_FILE="+w.authority.bundle,
		"NODE_EXTRA_CA_CERTS="+w.authority.alone,
		"JWT_ISSUER="+jwtIssuer,
		"JWT_AUDIENCE="+jwtAudience,
		"JWKS_URL="+w.keys.url,
		"USERS_TABLE="+usersTable,
		"SETTINGS_TABLE="+settingsTable,
	)
	if c.env != nil {
		env = append(env, c.env(w)...)
	}
	return env
}

// event returns an event with a fresh token of the owner, signed with ES256 or RS256.
func (w *world) event(body string, elliptic bool) ([]byte, error) {
	token, err := w.keys.sign(claims(owner), elliptic)
	if err != nil {
		return nil, err
	}
	return event(request{token: token, body: body})
}
