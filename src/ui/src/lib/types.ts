// The documents of the HTTP API, v1. Rates are bit/s, ratios 0–1, times RFC 3339.

export interface CaptureSource {
  name: string;
  frames: number;
  kernel_dropped: number;
  freezes: number;
  message: string | null;
  state: string;
  pool_exhausted: number;
  packets: number;
  ip_bytes: number;
  non_ip: number;
  ignored: number;
  undecodable: number;
  nic_missed: number;
  nic_dropped: number;
  frames_per_second: number;
  bits_per_second: number;
  loss_ratio: number;
  total_loss_ratio: number;
  worker_frames: number[];
}

export interface CaptureFinding {
  source: string;
  level: 'loss' | 'warning' | 'hint';
  code: string;
  message: string;
  advice: string;
}

export interface FlowExporter {
  address: string;
  router: string;
  state: string;
  protocol: string | null;
  datagrams: number;
  records: number;
  counted: number;
  unrouted: number;
  discarded: Record<string, number>;
  refused: Record<string, number>;
  templates: number;
  lost: number;
  unit: string;
  loss_ratio: number;
  sampling: number;
  sampling_told: boolean;
  delay_seconds: number;
  last_heard: string | null;
}

export interface Flow {
  exporters: FlowExporter[];
  listeners: { listen: string; datagrams: number; kernel_dropped: number; receive_buffer: number; message: string | null }[];
  links: { name: string; if_index: number | null; by: string }[];
  unknown_exporter: number;
  unknown: string[];
  active_timeout_seconds: number;
  unspread: number;
}

export interface Capture {
  frames: number;
  packets: number;
  ip_bytes: number;
  packets_per_second: number;
  bits_per_second: number;
  kernel_dropped: number;
  freezes: number;
  pool_exhausted: number;
  non_ip: number;
  ignored: number;
  undecodable: Record<string, number>;
  unrouted_packets: number;
  unrouted_ip_bytes: number;
  unattributed_packets: number;
  prefixes: number;
  sources: CaptureSource[];
  sampling: number;
  interval_seconds: number;
  loss_ratio: number;
  total_loss_ratio: number;
  huge_pages: string;
  huge_pages_bytes: number;
  findings: CaptureFinding[];
  flow: Flow | null;
}

export interface BgpPeer {
  router: string;
  address: string;
  state: string;
  since: string;
  routes: number;
  routes_ipv4: number;
  routes_ipv6: number;
  add_path: boolean;
  all_paths_known: boolean;
  path_source: 'add-path' | 'bmp' | 'best-only';
  table_complete: boolean;
  overrides: number;
  last_error: string | null;
  last_error_at: string | null;
  last_notification: { direction: 'received' | 'sent'; code: number; subcode: number; description: string; text: string | null; time: string } | null;
  negotiated: {
    type: 'ibgp' | 'ebgp';
    router_id: string;
    hold_time_seconds: number;
    keepalive_seconds: number;
    families: string[];
    capabilities: string[];
  } | null;
  md5: boolean;
  ttl_security: boolean;
  max_prefix: number;
  max_prefix_ratio: number;
  max_prefix_warning: boolean;
  max_prefix_out: number | null;
  overrides_waiting: number;
  output: { queued_bytes: number; high_mark_bytes: number; limit_bytes: number; behind: boolean } | null;
  counters: Record<string, number>;
  loc_rib: { routes: number; complete: boolean; compared: number; differing: number } | null;
  bmp: {
    state: string;
    since: string;
    table: string | null;
    peers: { peer: string; as: number; up: boolean; tables: { table: string; routes: number; updates: number; used: boolean; complete: boolean }[]; note: string | null }[];
    last_error: string | null;
    sys_name: string | null;
    connections: number;
    messages: number;
    malformed: number;
    last_malformed: string | null;
    limits_exceeded: number;
  } | null;
}

export interface Snmp {
  router: string;
  reachable: boolean;
  last_poll: string | null;
  last_error: string | null;
}

export interface Status {
  site: string;
  version: string;
  mode: 'observe' | 'inject';
  verdict: string;
  reason: string;
  healthy: boolean;
  time: string;
  uptime_seconds: number;
  problems: string[];
  capture: Capture;
  bgp: BgpPeer[];
  snmp: Snmp[];
}

export interface Link {
  name: string;
  router: string;
  interface: string;
  oper_status: string;
  capacity_bps: number;
  threshold_bps: number;
  release_bps: number;
  ceiling_bps: number;
  mirror_bps: number;
  counter_bps: number | null;
  native_bps: number;
  planned_bps: number;
  error_ratio: number;
  error_bps: number;
  rate_cause: string;
  mirror_ratio: number | null;
  mirror_ratio_error: number;
  rate_problem: string;
  remedy: string;
  state: string;
  overrides: number;
  overrides_away: number;
  match: string;
  members_up: number | null;
  members: number | null;
  in_errors: number | null;
  out_errors: number | null;
  out_discards: number | null;
}

export interface Prefix {
  prefix: string;
  link: string | null;
  native_link: string | null;
  rate_bps: number;
  packets_per_second: number;
  origin_as: number;
  override: boolean;
  mean_bps: number;
  error_ratio: number;
}

export interface Override {
  prefix: string;
  from: string;
  to: string;
  rate_bps: number;
  since: string;
  reason: string;
  state: string;
  lease_expires: string | null;
}

/** A controller of the site. */
export interface Controller {
  box: string;
  leads: boolean;
  ready: boolean;
  problem: string;
  seen_seconds_ago: number;
}

/** A collector of the site. */
export interface Collector {
  box: string;
  state: 'counted' | 'redundant' | 'missing';
  mirror: string;
  last_tick: string | null;
  lateness_seconds: number;
  bits_per_second: number;
  cells: number;
  deltas: number;
  lost: number;
  duplicates: number;
  refused: number;
  gaps: number;
  restarts: number;
  version: string;
  table_complete: boolean;
  frames: number;
  dropped_frames: number;
  loss_ratio: number;
  deltas_dropped: number;
  problems: string[];
}

/** GET /api/v1/cluster. */
export interface Cluster {
  site: string;
  box: string;
  role: 'all' | 'collector' | 'controller';
  leads: boolean;
  leader: string;
  token: number;
  controllers: Controller[];
  collectors: Collector[];
  broker: {
    connected_to: string | null;
    problem: string | null;
    connections: number;
    messages: number;
    bytes: number;
    repeated: number;
    returned: number;
    dropped: number;
    waiting: number;
    waiting_bytes: number;
    unreadable: Record<string, number>;
  } | null;
  database: { problem: string | null; not_saved: string | null; exchanges: number; failures: number } | null;
}

/** GET /api/v1/cost. Money is in the currency of the prices. */
export interface Cost {
  enabled: boolean;
  verdict: string;
  reason: string;
  decided: string | null;
  bill_so_far: number;
  expected_bill: number | null;
  overrides: number;
  links: CostLink[];
  moves: CostMove[];
  problem: string | null;
}

export interface CostLink {
  name: string;
  price_per_mbit: number;
  commit_bps: number | null;
  start: string;
  end: string;
  samples: number;
  measured: number;
  free_samples: number;
  standing_bps: number;
  percentile_bps: number;
  level_bps: number | null;
  limit_bps: number | null;
  free_left: number | null;
  bursting: boolean;
}

export interface CostMove {
  time: string;
  prefix: string;
  from: string;
  to: string;
  rate_bps: number;
  saving_per_month: number;
  reason: string;
  gives_back: boolean;
}

export interface Move {
  prefix: string;
  from: string;
  to: string;
  rate_bps: number;
  reason: string;
}

export interface Decision {
  id: number;
  time: string;
  verdict: string;
  reason: string;
  mode: string;
  moves: Move[];
  releases: Move[];
  kept: number;
  overload_bps: number;
  /** The least overload that any assignment leaves; not told by every version. */
  overload_lower_bound_bps?: number;
  elapsed_ms: number;
}

export interface Path {
  router: string;
  next_hop: string;
  link: string | null;
  as_path: string;
  local_pref: number | null;
  med: number | null;
  origin: string;
  communities: string[];
  usable: boolean;
  rejection: string | null;
}

export interface Explanation {
  query: string;
  prefix: string | null;
  rate_bps: number;
  link: string | null;
  native_link: string | null;
  override: Override | null;
  paths: Path[];
  summary: string;
  policy: { number: number; text: string } | null;
  router_choices: { router: string; verdict: 'agrees' | 'differs' | 'override' | 'none'; summary: string }[];
  timers: { hold_until: string | null; damped_until: string | null; quarantined_until: string | null; lease_expires: string | null };
  history: PrefixChange[];
}

export interface PrefixChange {
  time: string;
  decision: number;
  mode: string;
  change: 'moved' | 'released';
  from: string;
  to: string;
  rate_bps: number;
  reason: string;
}

export interface StateEvent {
  status: Status;
  links: Link[];
  prefixes: Prefix[];
  overrides: Override[];
  decision: Decision | null;
}

/** GET /api/v1/bgp/rib. */
export interface Rib {
  query: string;
  prefix: string | null;
  paths: RibPath[];
  router_choices: { router: string; verdict: string; summary: string }[];
}

export interface RibPath {
  router: string;
  router_address: string;
  path_id: number;
  next_hop: string;
  link: string | null;
  as_path: string;
  local_pref: number | null;
  med: number | null;
  origin: string;
  communities: string[];
  lost_at: string | null;
  monitored: string | null;
  extended_communities: string[];
  large_communities: string[];
  originator_id: string | null;
  cluster_list: string[];
  atomic_aggregate: boolean;
  aggregator: string | null;
}

/** GET /api/v1/matrix: cells only for links with a rate or a path. */
export interface Matrix {
  time: string;
  links: string[];
  rows: MatrixRow[];
}

export interface MatrixRow {
  prefix: string;
  origin_as: number;
  rate_bps: number;
  native_link: string | null;
  override: boolean;
  cells: { link: string; rate_bps: number; path: boolean }[];
}

/** GET /api/v1/config. */
export interface ConfigInForce {
  file: string | null;
  loaded_at: string | null;
  effective: string;
}

/** POST /api/v1/config/check. */
export interface Check {
  valid: boolean;
  diagnostics: Diagnostic[];
}

export interface Diagnostic {
  severity: 'error' | 'warning';
  line: number;
  column: number;
  message: string;
  remedy: string | null;
}

/** GET /api/v1/audit, newest first. */
export interface AuditEntry {
  time: string;
  who: string;
  via: string;
  action: string;
  detail: string;
  outcome: string;
}

/** GET /api/v1/history/links. */
export interface LinkHistory {
  step_seconds: number;
  links: { link: string; points: LinkPoint[] }[];
}

export interface LinkPoint {
  time: string;
  mirror_bps: number | null;
  mirror_max_bps: number | null;
  counter_bps: number | null;
  native_bps: number | null;
  capacity_bps: number | null;
}

export interface Problem {
  title?: string;
  detail?: string;
}
