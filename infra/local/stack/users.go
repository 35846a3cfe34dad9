package stack

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"orgsettings/internal/settings"
)

// User is a user that the stack puts into the users table.
type User struct {
	Name string `json:"user"`
	Org  string `json:"organization"` // empty: none
	Role *Role  `json:"role"`         // nil: none is recorded
}

// Role is a role in a users file: a name or a number.
type Role settings.Role

var roles = map[string]Role{
	"USER": Role(settings.RoleUser), "BILLING": Role(settings.RoleBilling), "WORKSPACES": Role(settings.RoleWorkspaces),
	"ADMINISTRATOR": Role(settings.RoleAdministrator), "OWNER": Role(settings.RoleOwner),
}

// UnmarshalJSON reads a name or a number from 0 to 255.
func (r *Role) UnmarshalJSON(text []byte) error {
	if number, err := strconv.ParseUint(string(text), 10, 8); err == nil {
		*r = Role(number)
		return nil
	}
	var name string
	role, ok := Role(0), json.Unmarshal(text, &name) == nil
	if ok {
		role, ok = roles[name]
	}
	if !ok {
		return fmt.Errorf("role %s is not %s or a number from 0 to 255", text, strings.Join(slices.Sorted(maps.Keys(roles)), ", "))
	}
	*r = role
	return nil
}

func (r Role) String() string {
	for name, role := range roles {
		if role == r {
			return name
		}
	}
	return settings.Role(r).String()
}

// Note says in a few words what the user is.
func (u User) Note() string {
	switch {
	case u.Org == "":
		return "in no organization"
	case u.Role == nil:
		return "member of " + u.Org + " with no role recorded: may write"
	case settings.Role(*u.Role).CanModify():
		return u.Role.String() + " of " + u.Org
	default:
		return u.Role.String() + " of " + u.Org + ": reads, may not write"
	}
}

//go:embed users.json
var demoUsers []byte

// usersOr returns users or, if there are none, those of users.json.
func usersOr(users []User) ([]User, error) {
	if len(users) > 0 {
		return users, nil
	}
	return parseUsers(demoUsers)
}

// ReadUsers reads a users file, which has the form of users.json.
func ReadUsers(path string) ([]User, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	users, err := parseUsers(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; it must be like %s", path, err, `[{"user":"alice","organization":"acme","role":"OWNER"}]`)
	}
	return users, nil
}

func parseUsers(text []byte) ([]User, error) {
	var users []User
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&users); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("text after the list")
	}
	seen := make(map[string]bool)
	for i, u := range users {
		if u.Name == "" {
			return nil, fmt.Errorf("user %d of the list has no name", i+1)
		}
		if seen[u.Name] {
			return nil, fmt.Errorf("user %q is there twice", u.Name)
		}
		seen[u.Name] = true
	}
	if len(users) == 0 {
		return nil, errors.New("the list has no users")
	}
	return users, nil
}
