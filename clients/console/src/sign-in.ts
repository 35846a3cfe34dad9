/**
 * Fill this in for your own sign-in. It returns an access token of the person who uses the page. It is called for every
 * request; refresh is true if the service has refused the token that it returned before. As long as it returns undefined,
 * the page asks the person for a token.
 */
export async function signIn(refresh: boolean): Promise<string | undefined> {
  void refresh;
  return undefined;
}
