package stack

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"orgsettings/internal/settings"
)

// User is a member of an organization, as a users file has it.
type User struct {
	Name string `json:"user"`
	Org  string `json:"organization"` // empty: none
	Role *Role  `json:"role"`         // nil: none is recorded
}

// Role is the number of a role. A users file has the number or the name. What is neither is read as noRole, so that the
// error can name the user.
type Role int

const noRole Role = -1

func roles() map[string]Role {
	return map[string]Role{"USER": 0x00, "BILLING": 0x01, "WORKSPACES": 0x02, "ADMINISTRATOR": 0xfe, "OWNER": 0xff}
}

func (r *Role) UnmarshalJSON(text []byte) error {
	name := strings.Trim(string(text), `"`)
	role, ok := roles()[name]
	if number, err := strconv.ParseUint(name, 10, 8); err == nil {
		role, ok = Role(number), true
	}
	if !ok {
		role = noRole
	}
	*r = role
	return nil
}

// Note says in a few words what the user is.
func (u User) Note() string {
	if u.Org == "" {
		return "in no organization"
	}
	if u.Role == nil {
		return "member of " + u.Org + " with no role recorded: may write"
	}
	note := settings.Role(*u.Role).String() + " of " + u.Org
	for name, role := range roles() {
		if role == *u.Role {
			note = name + " of " + u.Org
		}
	}
	if !settings.Role(*u.Role).CanModify() {
		note += ": reads, may not write"
	}
	return note
}

//go:embed users.json
var demoUsers []byte

// readUsers reads a users file. An empty path is that of the demo users.
func readUsers(path string) (users []User, err error) {
	text := demoUsers
	if path != "" {
		if text, err = os.ReadFile(path); err != nil {
			return nil, err
		}
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	err = decoder.Decode(&users)
	if err == nil && len(users) == 0 {
		err = errors.New("it has no users")
	}
	seen := map[string]bool{"": true}
	for _, u := range users {
		switch {
		case err != nil:
		case seen[u.Name]:
			err = fmt.Errorf("user %q is empty or there twice", u.Name)
		case u.Role != nil && *u.Role == noRole:
			err = fmt.Errorf("the role of user %q is not USER, BILLING, WORKSPACES, ADMINISTRATOR or OWNER, in capitals, or a number from 0 to 255", u.Name)
		}
		seen[u.Name] = true
	}
	if err != nil {
		return nil, fmt.Errorf(`%s is no list such as [{"user":"alice","organization":"acme","role":"OWNER"}]: %w`, path, err)
	}
	return users, nil
}
