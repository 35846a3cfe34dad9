package settings

import "fmt"

// Role is the role of a member in the organization, by its number in the users table. A number without a name below is
// no role, and permits no more than [RoleUser] does.
type Role int

// The roles of the users table, and RoleUnrecorded for a member whose record
// carries none: such a member is not restricted.
const (
	RoleUnrecorded    Role = -1
	RoleUser          Role = 0x00
	RoleBilling       Role = 0x01
	RoleWorkspaces    Role = 0x02
	RoleAdministrator Role = 0xfe
	RoleOwner         Role = 0xff
)

// CanModify says whether a member with this role may write settings.
func (r Role) CanModify() bool {
	return r == RoleUnrecorded || r == RoleAdministrator || r == RoleOwner
}

func (r Role) String() string {
	if r == RoleUnrecorded {
		return "no role recorded"
	}
	return fmt.Sprintf("role %#02x", int(r))
}
