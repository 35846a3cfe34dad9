package providers

import "maps"

// shape is what a provider issues, as its documentation shows it. The user is alice, whom the stack knows.
type shape struct {
	keys   string           // path of the provider's key set
	token  token            // the one to send
	others map[string]other // those that people send by mistake, or may send as well
}

type other struct {
	token token
	want  int // status of the answer
}

type token struct {
	typ    string // header parameter; empty: none
	alg    string // empty: the documented one
	claims map[string]any
	text   string // of a token that is no JWT, instead of all the above
}

// with returns the token with other claims; one that is nil is left out.
func (tok token) with(claims map[string]any) token {
	tok.claims = maps.Clone(tok.claims)
	maps.Copy(tok.claims, claims)
	maps.DeleteFunc(tok.claims, func(_ string, value any) bool { return value == nil })
	return tok
}

func (tok token) typed(typ string) token {
	tok.typ = typ
	return tok
}

type claims = map[string]any

func shapes() map[string]shape {
	auth0 := token{typ: "JWT", claims: claims{
		"iss": "https://YOUR_DOMAIN/", "sub": "alice", "azp": "YOUR_CLIENT_ID",
		"aud": []string{"YOUR_API_IDENTIFIER", "https://YOUR_DOMAIN/userinfo"}, "scope": "openid profile read:settings",
	}}
	okta := token{claims: claims{
		"ver": 1, "jti": "AT.1", "iss": "https://YOUR_OKTA_DOMAIN/oauth2/YOUR_SERVER_ID", "aud": "YOUR_AUDIENCE",
		"cid": "YOUR_CLIENT_ID", "uid": "alice", "scp": []string{"openid", "settings"}, "sub": "alice@example.com",
	}}
	entra := token{typ: "JWT", claims: claims{
		"aud": "YOUR_API_CLIENT_ID", "iss": "https://login.microsoftonline.com/YOUR_TENANT_ID/v2.0", "azp": "YOUR_CLIENT_ID",
		"oid": "alice", "sub": "HKZpfaHyWadeOouYlitjrI", "scp": "settings access_as_user", "tid": "YOUR_TENANT_ID", "ver": "2.0",
	}}
	cognito := token{claims: claims{
		"sub": "alice", "token_use": "access", "scope": "openid settings/access", "client_id": "YOUR_APP_CLIENT_ID",
		"iss": "https://cognito-idp.YOUR_REGION.amazonaws.com/YOUR_POOL_ID", "username": "alice@example.com",
	}}
	keycloak := token{typ: "JWT", claims: claims{
		"iss": "https://YOUR_KEYCLOAK/realms/YOUR_REALM", "aud": []string{"organization-settings", "account"}, "sub": "alice",
		"typ": "Bearer", "azp": "YOUR_CLIENT_ID", "scope": "profile settings",
	}}
	firebase := token{typ: "JWT", claims: claims{
		"iss": "https://securetoken.google.com/YOUR_PROJECT_ID", "aud": "YOUR_PROJECT_ID", "sub": "alice", "user_id": "alice",
		"firebase": claims{"sign_in_provider": "password"},
	}}
	google := token{typ: "JWT", claims: claims{
		"iss": "https://accounts.google.com", "sub": "alice",
		"aud": "YOUR_CLIENT_ID.apps.googleusercontent.com", "azp": "YOUR_CLIENT_ID.apps.googleusercontent.com",
	}}
	clerk := token{typ: "JWT", claims: claims{
		"iss": "https://YOUR_FRONTEND_API", "sub": "alice", "azp": "https://example.com", "jti": "1", "aud": "organization-settings",
	}}
	supabase := token{typ: "JWT", claims: claims{
		"iss": "https://YOUR_PROJECT_REF.supabase.co/auth/v1", "aud": "authenticated", "sub": "alice", "role": "authenticated",
		"aal": "aal1", "session_id": "1", "is_anonymous": false,
	}}
	workOS := token{typ: "JWT", claims: claims{
		"iss": "https://api.workos.com/user_management/YOUR_CLIENT_ID", "sub": "alice", "sid": "session_1", "jti": "1",
		"org_id": "org_1", "permissions": []string{"settings"}, "aud": "organization-settings",
	}}
	zitadel := token{typ: "JWT", claims: claims{
		"iss": "https://YOUR_DOMAIN", "sub": "alice", "aud": []string{"YOUR_CLIENT_ID", "YOUR_PROJECT_ID"}, "client_id": "YOUR_CLIENT_ID", "jti": "1",
	}}
	opaque := token{text: "sIv4mRn8Zc2K"}
	legacy := supabase.with(claims{"iss": "supabase", "aud": nil, "sub": nil, "role": "anon"})
	legacy.alg = "HS256"
	secret := supabase.with(nil)
	secret.alg = "HS256"

	return map[string]shape{
		"Auth0": {"/.well-known/jwks.json", auth0, map[string]other{
			"without an audience":  {opaque, 401},
			"profile of RFC 9068":  {auth0.typed("at+jwt").with(claims{"azp": nil, "client_id": "YOUR_CLIENT_ID"}), 200},
			"ID token":             {auth0.with(claims{"aud": "YOUR_CLIENT_ID", "scope": nil}), 401},
			"without the scope":    {auth0.with(claims{"scope": "openid profile"}), 403},
			"issuer without slash": {auth0.with(claims{"iss": "https://YOUR_DOMAIN"}), 401},
		}},
		"Okta": {"/oauth2/YOUR_SERVER_ID/v1/keys", okta, map[string]other{
			"org authorization server": {okta.with(claims{"iss": "https://YOUR_OKTA_DOMAIN", "aud": "https://YOUR_OKTA_DOMAIN"}), 401},
			"client without a user":    {okta.with(claims{"uid": nil}), 401},
			"without the scope":        {okta.with(claims{"scp": []string{"openid"}}), 403},
		}},
		"Microsoft Entra": {"/YOUR_TENANT_ID/discovery/v2.0/keys", entra, map[string]other{
			"version 1.0":         {entra.with(claims{"iss": "https://sts.windows.net/YOUR_TENANT_ID/", "aud": "api://YOUR_API_CLIENT_ID", "ver": "1.0"}), 401},
			"for Microsoft Graph": {entra.with(claims{"aud": "00000003-0000-0000-c000-000000000000"}), 401},
			"no scope profile":    {entra.with(claims{"oid": nil}), 401},
			"without the scope":   {entra.with(claims{"scp": "access_as_user"}), 403},
		}},
		"Amazon Cognito": {"/YOUR_POOL_ID/.well-known/jwks.json", cognito, map[string]other{
			"ID token":           {cognito.with(claims{"token_use": "id", "client_id": nil, "scope": nil, "aud": "YOUR_APP_CLIENT_ID"}), 403},
			"another app client": {cognito.with(claims{"client_id": "ANOTHER_APP_CLIENT_ID"}), 401},
		}},
		"Keycloak": {"/realms/YOUR_REALM/protocol/openid-connect/certs", keycloak, map[string]other{
			"no audience mapper":     {keycloak.with(claims{"aud": "account"}), 401},
			"no audience at all":     {keycloak.with(claims{"aud": nil}), 401},
			"ID token":               {keycloak.with(claims{"aud": "YOUR_CLIENT_ID", "typ": "ID", "scope": nil}), 401},
			"scope basic is missing": {keycloak.with(claims{"sub": nil}), 401},
		}},
		"Firebase": {"/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com", firebase, map[string]other{
			"custom token": {firebase.with(claims{
				"iss": "service@YOUR_PROJECT_ID.iam.gserviceaccount.com", "uid": "alice",
				"aud": "https://identitytoolkit.googleapis.com/google.identity.identitytoolkit.v1.IdentityToolkit",
			}), 401},
			"without typ":     {firebase.typed(""), 200},
			"another project": {firebase.with(claims{"iss": "https://securetoken.google.com/ANOTHER", "aud": "ANOTHER"}), 401},
		}},
		"Google": {"/oauth2/v3/certs", google, map[string]other{
			"without typ":          {google.typed(""), 200},
			"access token":         {opaque, 401},
			"issuer without https": {google.with(claims{"iss": "accounts.google.com"}), 401},
		}},
		"Clerk": {"/.well-known/jwks.json", clerk, map[string]other{
			"session token": {clerk.with(claims{"aud": nil, "sid": "sess_1", "v": 2}), 401},
		}},
		"Supabase": {"/auth/v1/.well-known/jwks.json", supabase, map[string]other{
			"legacy secret": {secret, 401},
			"anon key":      {legacy, 401},
		}},
		"WorkOS": {"/sso/jwks/YOUR_CLIENT_ID", workOS, map[string]other{
			"without typ":     {workOS.typed(""), 200},
			"no JWT template": {workOS.with(claims{"aud": nil}), 401},
			"older issuer":    {workOS.with(claims{"iss": "https://api.workos.com"}), 401},
		}},
		"Zitadel": {"/oauth/v2/keys", zitadel, map[string]other{
			"opaque access token":            {opaque, 401},
			"ID token":                       {zitadel.with(claims{"client_id": nil, "jti": nil, "azp": "YOUR_CLIENT_ID"}), 200},
			"application of another project": {zitadel.with(claims{"aud": []string{"YOUR_CLIENT_ID", "ANOTHER_PROJECT_ID"}}), 401},
		}},
	}
}
