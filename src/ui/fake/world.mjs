// What the synthetic appliance knows: loads from a formula and a seeded generator, so that two runs look alike.

const GBIT = 1e9;
const iso = (ms) => new Date(ms).toISOString();

/** A generator of numbers from 0 to 1 (mulberry32). */
function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export class World {
  constructor(links, prefixes, standby = false) {
    this.standby = standby;
    this.rnd = random(7);
    this.started = iso(Date.now() - 3 * 86_400_000);
    this.cycle = 51_840;
    this.listeners = new Set();
    this.mode = 'inject';
    this.names = Array.from({ length: links }, (_, i) => (i < 26 ? `isp-${String.fromCharCode(97 + i)}` : `pni-${String(i - 25).padStart(2, '0')}`));
    this.links = this.names.map((name, i) => this.link(name, i));
    this.prefixes = Array.from({ length: prefixes }, (_, i) => this.prefix(i, prefixes));
    this.overrides = this.prefixes.filter((p) => p.override && !standby).map((p, i) => ({
      prefix: p.prefix, from: p.native_link, to: p.link, rate_bps: p.rate_bps, since: iso(Date.now() - 60_000 * (3 + 7 * i)), reason: 'Its link is over the threshold.',
      state: i % 5 === 4 ? 'announced' : 'confirmed', lease_expires: iso(Date.now() + 10_000),
    }));
    this.decisions = [];
    for (let i = 1000; i > 0; i--) this.decisions.unshift(this.decide(Date.now() - 5000 * i, i));
    this.audit = [
      { time: iso(Date.now() - 3_600_000), who: 'anna', via: '198.51.100.7', action: 'override_add', detail: `${this.prefixes[3]?.prefix} by ${this.names[1] ?? this.names[0]}`, outcome: 'done' },
      { time: iso(Date.now() - 7_200_000), who: 'uid 0', via: 'socket', action: 'mode', detail: 'inject', outcome: 'done' },
      { time: iso(Date.now() - 90_000_000), who: 'grafana', via: '198.51.100.9', action: 'withdraw_all', detail: '', outcome: 'The token may read only.' },
    ];
    this.tick();
  }

  link(name, i) {
    const capacity = [10, 10, 40, 100][i % 4] * GBIT;
    return {
      name, router: `edge${1 + (i % 4)}`, interface: `et-0/0/${i}`, oper_status: i === 11 ? 'down' : 'up', capacity_bps: capacity, threshold_bps: 0.95 * capacity, release_bps: 0.85 * capacity,
      ceiling_bps: 0.9 * capacity, mirror_bps: 0, counter_bps: 0, native_bps: 0, planned_bps: 0, error_ratio: 0.01, error_bps: 0.004 * capacity, rate_cause: i === 2 ? 'mirror_loss' : 'agree', mirror_ratio: i === 2 ? 0.93 : 0.999,
      mirror_ratio_error: 0.004, rate_problem: i === 2 ? 'the mirror shows 93 % of what the counter does' : '', remedy: i === 2 ? 'Look for drops on the mirror port of the router.' : '', state: 'normal', overrides: 0, overrides_away: 0,
      match: `mac 02:00:00:00:0a:${String(i).padStart(2, '0')}, found by SNMP`, members_up: i % 4 === 3 ? 4 : null, members: i % 4 === 3 ? 4 : null, in_errors: 0, out_errors: 0, out_discards: i % 7,
    };
  }

  prefix(i, n) {
    const a = this.names[Math.floor(this.rnd() * this.names.length)];
    const b = this.names[Math.floor(this.rnd() * this.names.length)];
    const moved = i % 97 === 5 && a !== b && i < 3000;
    const v6 = i % 4 === 3;
    const prefix = v6 ? `2a0${i % 10}:${(i * 7 % 65536).toString(16)}:${i.toString(16)}::/48` : `${11 + (i % 180)}.${(i * 31) % 256}.${Math.floor(i / 180) % 256}.0/24`;
    return {
      prefix, link: moved ? b : a, native_link: a, base: (90 * GBIT * Math.min(1, this.names.length / 8)) / (i + 8) ** 1.05 / Math.log(n + 2), rate_bps: 0, packets_per_second: 0, origin_as: 1000 + ((i * 7919) % 64000), override: moved, mean_bps: 0, error_ratio: 0.01,
    };
  }

  decide(ms, i) {
    const phase = i % 140;
    const verdict = this.standby ? 'standby' : phase === 60 || phase === 52 ? 'relieved' : phase === 20 ? 'released' : phase === 61 || phase === 53 ? 'confirming' : phase > 20 && phase < 60 ? 'holding' : phase > 120 && i > 600 && i < 700 ? 'frozen_counters_stale' : phase === 54 ? 'capped' : 'no_overload';
    const REASON = {
      relieved: 'Links over their threshold are brought under it.', released: 'No link is over its threshold; overrides were given back.', holding: 'No link is over its threshold; overrides stay in force because their native links would be too full without them.',
      confirming: 'A link is over its threshold in too few of the last cycles to act.', capped: 'Caps keep the plan from relieving as much as there is capacity for.', frozen_counters_stale: 'Interface counters are too old; nothing is moved.', no_overload: 'No link is over its threshold.', standby: 'Another box decides; this one stands by.',
    };
    const some = (n) => this.prefixes.slice(phase, phase + n).map((p) => ({ prefix: p.prefix, from: p.native_link, to: p.link === p.native_link ? this.names[(i + 1) % this.names.length] : p.link, rate_bps: Math.round(p.base), reason: 'Its link is over the threshold.' }));
    return {
      id: this.cycle - i, time: iso(ms), verdict, reason: REASON[verdict], mode: this.mode, moves: verdict === 'relieved' ? some(3) : verdict === 'capped' ? some(5) : [], releases: verdict === 'released' ? some(4) : [],
      kept: phase > 20 && phase < 60 ? 7 : 0, overload_bps: verdict === 'capped' ? 412e6 : 0, overload_lower_bound_bps: verdict === 'capped' ? 120e6 : 0, elapsed_ms: 1 + 4 * this.rnd(),
    };
  }

  onTick(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  tick() {
    const t = Date.now() / 1000;
    this.cycle++;
    for (const p of this.prefixes) {
      p.rate_bps = Math.round(p.base * (0.85 + 0.3 * this.rnd()));
      p.mean_bps = Math.round(p.base);
      p.packets_per_second = Math.round(p.rate_bps / 8400);
    }
    for (const [i, l] of this.links.entries()) {
      const share = l.oper_status === 'down' ? 0 : 0.52 + 0.3 * Math.sin(i) + 0.12 * Math.sin(t / 90 + i) + 0.01 * this.rnd();
      l.overrides = this.overrides.filter((o) => o.to === l.name).length;
      l.overrides_away = this.overrides.filter((o) => o.from === l.name).length;
      l.native_bps = Math.round(l.capacity_bps * (share + 0.04 * l.overrides_away - 0.02 * l.overrides));
      l.mirror_bps = l.planned_bps = Math.round(l.capacity_bps * Math.min(1.02, Math.max(0, share)));
      l.counter_bps = Math.round(l.mirror_bps * 1.001);
      l.state = l.oper_status === 'down' ? 'down' : l.mirror_bps > l.capacity_bps ? 'over_capacity' : l.mirror_bps > l.threshold_bps ? 'over_threshold' : l.overrides_away ? 'relieved' : 'normal';
    }
    const rates = new Map(this.prefixes.slice(0, 3000).map((p) => [p.prefix, p.rate_bps]));
    for (const o of this.overrides) [o.rate_bps, o.lease_expires] = [rates.get(o.prefix) ?? o.rate_bps, iso(Date.now() + 10_000)];
    if (this.decisions.length) this.decisions = [{ ...this.decide(Date.now(), this.cycle % 140), id: this.cycle }, ...this.decisions].slice(0, 1000);
    for (const listener of this.listeners) listener();
  }

  state() {
    const total = this.links.reduce((n, l) => n + l.mirror_bps, 0);
    const decision = this.decisions[0];
    return {
      status: {
        site: 'fra1', version: '0.1.0', mode: this.mode, verdict: decision.verdict, reason: decision.reason, healthy: true, time: iso(Date.now()), uptime_seconds: 259_200, problems: [], capture: this.capture(total),
        bgp: [1, 2, 3, 4].map((n) => this.peer(n)),
        snmp: [1, 2, 3, 4].map((n) => ({ router: `edge${n}`, reachable: true, last_poll: iso(Date.now() - 1500 * n), last_error: null })),
      },
      links: this.links, prefixes: this.prefixes.slice(0, 20), overrides: this.overrides, decision,
    };
  }

  capture(total) {
    const source = (name, i) => ({
      name, frames: 91_000_000_000 + i, kernel_dropped: i ? 1_821_004 : 0, freezes: i ? 3 : 0, message: null, state: 'receiving', pool_exhausted: 0, packets: 90_900_000_000, ip_bytes: 7e13, non_ip: 88_120, ignored: 0, undecodable: 4120, nic_missed: i ? 96_412 : 0,
      nic_dropped: 0, frames_per_second: total / 16_800, bits_per_second: total / 2, loss_ratio: i ? 0.0012 : 0, total_loss_ratio: i ? 0.00002 : 0, worker_frames: [22_700_000_000, 22_800_000_000, 22_600_000_000, 22_900_000_000],
    });
    return {
      frames: 182_000_000_000, packets: 181_800_000_000, ip_bytes: 1.4e14, packets_per_second: total / 8400, bits_per_second: total, kernel_dropped: 1_821_004, freezes: 3, pool_exhausted: 0, non_ip: 176_240, ignored: 0,
      undecodable: { truncated: 6011, bad_length: 2229 }, unrouted_packets: 41_220_118, unrouted_ip_bytes: 3.1e10, unattributed_packets: 120_400, prefixes: 1_230_412, sources: [source('mir0', 0), source('mir1', 1)], sampling: 1, interval_seconds: 10,
      loss_ratio: 0.0006, total_loss_ratio: 0.00001, huge_pages: 'madvise', huge_pages_bytes: 134_217_728,
      findings: [
        { source: 'mir1', level: 'loss', code: 'ring_full', message: 'the kernel drops frames: the ring of 64 MiB is full at times', advice: 'Raise capture.sources[1].ring_size (now 64 MiB) or give it more workers (now 4).' },
        { source: 'mir0', level: 'hint', code: 'rss_uneven', message: 'the NIC spreads frames unevenly over its queues', advice: 'ethtool -X mir0 equal 4' },
      ],
      flow: {
        exporters: [{ address: '192.0.2.40', router: 'edge4', state: 'receiving', protocol: 'ipfix', datagrams: 812_003, records: 19_400_122, counted: 19_380_014, unrouted: 1202, discarded: { ingress: 18_906 }, refused: { no_template: 12 }, templates: 4, lost: 120, unit: 'records', loss_ratio: 0, sampling: 1000, sampling_told: true, delay_seconds: 12, last_heard: iso(Date.now() - 800) }],
        listeners: [{ listen: '0.0.0.0:4739', datagrams: 812_003, kernel_dropped: 0, receive_buffer: 8_388_608, message: null }], links: [{ name: this.names.at(-1), if_index: 517, by: 'snmp' }], unknown_exporter: 0, unknown: [], active_timeout_seconds: 60, unspread: 0,
      },
    };
  }

  peer(n) {
    return {
      router: `edge${n}`, address: `192.0.2.${n}`, state: 'Established', since: this.started, routes: 1_900_000 + n, routes_ipv4: 1_500_000, routes_ipv6: 400_000 + n, add_path: true, all_paths_known: true, path_source: n === 2 ? 'bmp' : 'add-path', table_complete: true,
      overrides: this.overrides.length, last_error: null, last_error_at: null, last_notification: null, negotiated: { type: 'ibgp', router_id: `192.0.2.${n}`, hold_time_seconds: 9, keepalive_seconds: 3, families: ['ipv4', 'ipv6'], capabilities: ['add-path-ipv4', 'add-path-ipv6', 'route-refresh', '4-octet-as', 'extended-message'] },
      md5: true, ttl_security: true, max_prefix: 10_000_000, max_prefix_ratio: 0.19, max_prefix_warning: false, max_prefix_out: 1000, overrides_waiting: 0, output: { queued_bytes: 0, high_mark_bytes: 1_048_576, limit_bytes: 8_388_608, behind: false },
      counters: { established: 1, messages_received: 4_120_332, messages_sent: 86_412, update_errors: 0, routes_ignored: 12, refreshes_sent: 1, refreshes_received: 0, notifications_sent: 0, notifications_received: 0 },
      loc_rib: n === 2 ? { routes: 1_230_412, complete: true, compared: 9981, differing: 3 } : null,
      bmp: n === 2 ? { state: 'up', since: this.started, table: 'adj-rib-in-pre-policy', peers: [{ peer: '100.64.1.2', as: 64501, up: true, tables: [{ table: 'adj-rib-in-pre-policy', routes: 940_112, updates: 2_120_004, used: true, complete: true }], note: null }, { peer: 'loc-rib', as: 65000, up: true, tables: [{ table: 'loc-rib', routes: 1_230_412, updates: 4_120_004, used: true, complete: true }], note: null }], last_error: null, sys_name: 'edge2', connections: 1, messages: 6_240_008, malformed: 0, last_malformed: null, limits_exceeded: 0 } : null,
    };
  }

  cost() {
    const now = new Date();
    const [start, end] = [Date.UTC(now.getUTCFullYear(), now.getUTCMonth()), Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1)];
    const gone = (Date.now() - start) / (end - start);
    const links = this.links.filter((_, i) => i % 3 !== 2).slice(0, 8).map((l, i) => ({
      name: l.name, price_per_mbit: [0.35, 0.6, 0.22][i % 3], commit_bps: i % 2 ? null : 0.3 * l.capacity_bps, start: iso(start), end: iso(end), samples: 8640, measured: Math.round(8640 * gone), free_samples: 432, standing_bps: Math.round(0.41 * l.capacity_bps),
      percentile_bps: Math.round(0.56 * l.capacity_bps), level_bps: Math.round(0.58 * l.capacity_bps), limit_bps: Math.round((i === 1 ? 0.9 : 0.58) * l.capacity_bps), free_left: Math.round(432 * (i === 1 ? 0.06 : 1 - gone * (0.7 + 0.1 * i))), bursting: i === 1,
    }));
    const bill = links.reduce((n, l) => n + (Math.max(l.commit_bps ?? 0, l.standing_bps) / 1e6) * l.price_per_mbit, 0);
    return {
      enabled: true, verdict: 'proposed', reason: 'Moves are proposed that lower the bill.', decided: iso(Date.now() - 130_000), bill_so_far: bill, expected_bill: 1.18 * bill, overrides: 4, links, problem: null,
      moves: this.overrides.slice(0, 4).map((o, i) => ({ time: iso(Date.now() - 600_000 * (i + 1)), prefix: o.prefix, from: o.from, to: o.to, rate_bps: o.rate_bps, saving_per_month: 12.4 + i, reason: 'Its link is above its level and would be billed for more.', gives_back: i === 3 })),
    };
  }

  cluster() {
    const box = (n, state = 'counted', problems = []) => ({
      box: `col${n}`, state, mirror: n > 2 ? 'core' : '', last_tick: iso(Date.now() - 2100), lateness_seconds: 0.03 + 0.01 * n, bits_per_second: 42e9 + 7e9 * n, cells: 98_000 + 1200 * n, deltas: 17_280, lost: n === 2 ? 3 : 0, duplicates: 1, refused: 0,
      gaps: n === 2 ? 3 : 0, restarts: 1, version: '0.1.0', table_complete: true, frames: 9e11, dropped_frames: 0, loss_ratio: 0, deltas_dropped: 0, problems,
    });
    return {
      site: 'fra1', box: 'ctl1', role: 'controller', leads: !this.standby, leader: this.standby ? 'ctl2' : 'ctl1', token: 7,
      controllers: [{ box: 'ctl1', leads: !this.standby, ready: true, problem: '', seen_seconds_ago: 0.4 }, { box: 'ctl2', leads: this.standby, ready: true, problem: '', seen_seconds_ago: 0.9 }],
      collectors: [box(1), box(2), box(3), box(4, 'redundant')],
      broker: { connected_to: 'rabbit1.example.net:5671', problem: null, connections: 2, messages: 69_120, bytes: 6.2e10, repeated: 4, returned: 0, dropped: 0, waiting: 0, waiting_bytes: 0, unreadable: {} },
      database: { problem: null, not_saved: null, exchanges: 86_400, failures: 2 },
    };
  }

  find(query) {
    return this.prefixes.find((p) => p.prefix === query) ?? this.prefixes[0];
  }

  paths(p) {
    return [...new Set([p.native_link, p.link, ...this.names.slice(0, 3)])].map((link, i) => ({
      router: `edge${1 + (this.names.indexOf(link) % 4)}`, next_hop: `100.64.${this.names.indexOf(link)}.2`, link, as_path: `${64501 + i} ${i ? '3356 ' : ''}${p.origin_as}`, local_pref: 100, med: 10 * i, origin: 'igp', communities: [`${64501 + i}:100`],
    }));
  }

  explain(query) {
    const p = this.find(query);
    const override = this.overrides.find((o) => o.prefix === p.prefix) ?? null;
    return {
      query, prefix: p.prefix, rate_bps: p.rate_bps, link: p.link, native_link: p.native_link, override, summary: override ? `It leaves by ${p.link} because of an override; plain BGP would use ${p.native_link}.` : `It leaves by ${p.link}, as plain BGP has it.`,
      paths: this.paths(p).map((x, i) => ({ ...x, usable: i > 0, rejection: i ? null : 'same_link' })), policy: { number: 2, text: `{ origin_as: ${p.origin_as}, prefer: true }` }, router_choices: [{ router: 'edge2', verdict: override ? 'override' : 'agrees', summary: 'edge2 uses the path that it should.' }],
      timers: { hold_until: override && iso(Date.now() + 42_000), damped_until: null, quarantined_until: null, lease_expires: override?.lease_expires ?? null },
      history: override ? [{ time: override.since, decision: 51_000, mode: 'inject', change: 'moved', from: override.from, to: override.to, rate_bps: override.rate_bps, reason: override.reason }] : [],
    };
  }

  rib(query) {
    const p = this.find(query);
    return {
      query, prefix: p.prefix, router_choices: [],
      paths: this.paths(p).map((x, i) => ({ ...x, router_address: '192.0.2.1', path_id: i + 1, lost_at: [null, 'as_path_length', 'med', 'next_hop', 'peer'][i], monitored: null, extended_communities: [], large_communities: [`65000:1:${i}`], originator_id: null, cluster_list: [], atomic_aggregate: false, aggregator: null })),
    };
  }

  matrix(top) {
    return {
      time: iso(Date.now()), links: this.names,
      rows: this.prefixes.slice(0, top).map((p, i) => {
        const with_path = new Set([p.link, p.native_link, this.names[(i * 3) % this.names.length], this.names[(i * 5 + 1) % this.names.length]]);
        return { prefix: p.prefix, origin_as: p.origin_as, rate_bps: p.rate_bps, native_link: p.native_link, override: p.override, cells: [...with_path].map((link) => ({ link, rate_bps: link === p.link ? p.rate_bps : 0, path: true })) };
      }),
    };
  }

  history(name, from) {
    const to = Date.now();
    const step = Math.max(60, Math.ceil((to - from) / 1000 / 1400 / 60) * 60);
    const links = (name ? this.links.filter((l) => l.name === name) : this.links).map((link) => {
      const points = [];
      for (let t = from; t < to; t += 1000 * step) {
        const day = (t / 86_400_000) % 1;
        const load = 0.45 + 0.33 * Math.sin(2 * Math.PI * (day - 0.4)) + 0.03 * Math.sin(t / 3e6);
        const native = load + Math.max(0, load - 0.7);
        points.push({ time: iso(t), mirror_bps: load * link.capacity_bps, mirror_max_bps: (load + 0.04) * link.capacity_bps, counter_bps: load * link.capacity_bps, native_bps: native * link.capacity_bps, capacity_bps: link.capacity_bps });
      }
      return { link: link.name, points };
    });
    return { step_seconds: step, links };
  }

  yaml() {
    return `version: 1\nsite: fra1\nmode: ${this.mode}\ncapture:\n  sources:\n    - interface: mir0\n    - interface: mir1\nlinks:\n${this.links.map((l) => `  - name: ${l.name}\n    router: ${l.router}\n    interface: ${l.interface}\n    threshold: 0.95`).join('\n')}\ndecision:\n  cycle: 5s\n  hold: 90s\n`;
  }

  /** Just enough of a check to show what one looks like. */
  check(text) {
    const diagnostics = text.split('\n').flatMap((line, i) => {
      const at = line.indexOf('treshold');
      return at < 0 ? [] : [{ severity: 'error', line: i + 1, column: at + 1, message: "There is no key 'treshold' here.", remedy: "Did you mean 'threshold'?" }];
    });
    return { valid: diagnostics.length === 0, diagnostics };
  }

  log(action, detail) {
    this.audit.unshift({ time: iso(Date.now()), who: 'local', via: 'loopback', action, detail, outcome: 'done' });
  }

  setMode(mode) {
    this.mode = mode;
    this.log('mode', mode);
    this.tick();
    return { mode };
  }

  withdrawAll() {
    const n = this.overrides.length;
    this.overrides = [];
    this.setMode('observe');
    return n;
  }

  release(prefix) {
    const before = this.overrides.length;
    this.overrides = this.overrides.filter((o) => o.prefix !== prefix);
    if (this.overrides.length === before) return `There is no override for ${prefix}.`;
    this.log('override_release', prefix);
    this.tick();
    return null;
  }

  add(prefix, link) {
    const p = this.prefixes.find((x) => x.prefix === prefix);
    if (!p) return `The routers have sent no path for exactly '${prefix}'.`;
    this.overrides.push({ prefix, from: p.native_link, to: link, rate_bps: p.rate_bps, since: iso(Date.now()), reason: 'An operator asked for it.', state: 'announced', lease_expires: iso(Date.now() + 10_000) });
    this.log('override_add', `${prefix} by ${link}`);
    this.tick();
    return null;
  }
}
