const KEY = 'egress-token';

/**
 * The token of remote access. On the machine itself none is needed. It is kept for this tab only (session storage), sent in the Authorization
 * header and never in an address or a cookie.
 */
class Access {
  token = $state(sessionStorage.getItem(KEY) ?? '');
  /** Why the appliance wants a token, in its words; empty while it does not. */
  wanted = $state('');

  /** The appliance answered 401. */
  refused(words: string): void {
    this.wanted = words || 'A token is needed.';
  }

  signIn(token: string): void {
    this.token = token.trim();
    this.wanted = '';
    sessionStorage.setItem(KEY, this.token);
  }

  signOut(): void {
    sessionStorage.removeItem(KEY);
    this.token = '';
    this.refused('Signed out.');
  }
}

export const access = new Access();
