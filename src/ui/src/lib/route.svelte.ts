import { href, parse, type PageId, type Route } from './router';

/** The address of the tab, as reactive state. */
class Here {
  route = $state.raw<Route>(parse(location.hash));

  constructor() {
    addEventListener('hashchange', () => (this.route = parse(location.hash)));
  }

  /** Opens a page as a link would. */
  go(page: PageId, params: Record<string, string> = {}): void {
    location.hash = href(page, params);
  }

  /** Keeps the parameters of the page in its address, without an entry in the browser's history for each letter typed. */
  keep(params: Record<string, string>): void {
    history.replaceState(null, '', href(this.route.page, params));
  }
}

export const here = new Here();
