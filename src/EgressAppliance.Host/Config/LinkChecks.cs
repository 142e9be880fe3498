using EgressAppliance.Net;

namespace EgressAppliance.Host.Config;

/// <summary>Checks of <c>links</c>: each alone, against the routers and sources it names, and against each other.</summary>
/// <param name="root">The whole file.</param>
/// <param name="diagnostics">Takes the errors.</param>
internal sealed class LinkChecks(BoundSection root, ConfigDiagnostics diagnostics)
{
    private readonly List<(BoundSection Match, string Name, Fields Fields)> _matches = [];
    private readonly Dictionary<(string Router, IpAddr Address), BoundValue> _nextHops = [];
    private readonly Dictionary<(string Router, string Interface), BoundValue> _interfaces = [];

    public void Run()
    {
        NameRegister names = new(diagnostics, "link");
        foreach (BoundSection link in root.Sections("links"))
        {
            names.Add(link.Value("name"));
            BoundSection? router = CheckRouter(link);
            CheckNextHops(link, router);
            CheckInterface(link);
            CheckMatch(link);
            CheckLevels(link);
        }

        if (root.Sections("links") is [var only])
        {
            diagnostics.Warn(only.At, $"'{only.Path}' is the only link: no prefix can be moved", "add the other links of the routers; with one link there is nothing to choose");
        }
    }

    private BoundSection? CheckRouter(BoundSection link)
    {
        BoundSection? router = RouterNames.Find(root, link, diagnostics);
        if (router is not null)
        {
            CheckCapacity(link, router);
            CheckFound(link, router);
        }

        return router;
    }

    private void CheckCapacity(BoundSection link, BoundSection router)
    {
        BoundValue capacity = link.Value("capacity");
        if (capacity.Value is DBNull && !router.IsGiven("snmp"))
        {
            diagnostics.Error(
                link.KeyAt("capacity"), $"'{link.Path}.capacity' is auto, but its router has no snmp section to read it by",
                "give the capacity, such as 10Gbit/s, or add snmp to the router");
        }
    }

    /// <summary>What is not given is found by SNMP.</summary>
    private void CheckFound(BoundSection link, BoundSection router)
    {
        bool exported = link.TryGet("router", out string name) && Exports(name);
        if (ClusterChecks.RoleOf(root) == ApplianceRole.Controller)
        {
            // The collectors know their frames.
        }
        else if (!link.IsGiven("match") && !exported && !root.IsGiven("capture") && root.IsGiven("flow"))
        {
            diagnostics.Error(
                link.At, $"nothing tells what '{link.Path}' carries: there is no capture, and its router is none of `flow.exporters`", "name the router in flow.exporters, or add capture");
        }
        else if (!link.IsGiven("match") && !exported && !router.IsGiven("snmp"))
        {
            diagnostics.Error(
                link.At, $"'{link.Path}' has no match, and its router has no snmp section to find the provider's MAC address by",
                "give match with mac, vlan or source, add snmp to the router, or name the router in flow.exporters");
        }

        if (!link.Value("interface").Given && !router.IsGiven("snmp"))
        {
            diagnostics.Error(
                link.At, $"'{link.Path}' has no interface, and its router has no snmp section to find it by", "give the interface's name, or add snmp to the router");
        }
    }

    private void CheckNextHops(BoundSection link, BoundSection? router)
    {
        if (!link.TryGet("router", out string routerName))
        {
            routerName = "";
        }

        foreach ((BoundValue bound, IpAddr hop) in link.Items<IpAddr>("next_hops"))
        {
            if (!ConfigChecks.CheckUnicast(bound, hop, diagnostics))
            {
                continue;
            }

            if (hop.ToIPAddress().IsIPv6LinkLocal)
            {
                diagnostics.Error(bound.At, $"'{bound.Path}': {hop} is a link-local address, which other routers cannot resolve", "give the provider's global address");
            }
            else if (IsOurs(hop))
            {
                diagnostics.Error(
                    bound.At, $"'{bound.Path}': {hop} is our own local_address", "give the provider's address; routers accept a route to us and drop the traffic");
            }
            else if (router is not null && router.TryGet("address", out IpAddr address) && address == hop)
            {
                diagnostics.Error(bound.At, $"'{bound.Path}': {hop} is the router's own address", "give the provider's address on the link");
            }

            CheckFamily(bound, hop, router);
            if (!_nextHops.TryAdd((routerName, hop), bound))
            {
                BoundValue first = _nextHops[(routerName, hop)];
                diagnostics.Error(
                    bound.At, $"'{bound.Path}': {hop} is a next hop already, of '{first.Path}' in line {first.At.Line}",
                    "a next hop tells the link: give each address once");
            }
        }
    }

    /// <summary>A next hop of a family that the session does not exchange is that of no path. IPv4 routes may have IPv6 next hops (RFC 8950) where both are exchanged.</summary>
    private void CheckFamily(BoundValue bound, IpAddr hop, BoundSection? router)
    {
        if (router?.Section("bgp") is not { } bgp || !bgp.Value("families").Valid || bgp.Value("families").Items.Any(f => !f.Valid))
        {
            return;
        }

        string family = hop.Family == IpFamily.IPv4 ? "ipv4" : "ipv6";
        if (bgp.Value("families").Items.All(f => f.Text != family))
        {
            diagnostics.Warn(
                bound.At, $"'{bound.Path}': {hop} is an {(family == "ipv4" ? "IPv4" : "IPv6")} address, and '{bgp.Path}.families' has no {family}: no path will have it",
                $"add {family} to the families, or remove the address");
        }
    }

    private bool IsOurs(IpAddr address) => root.Sections("routers").Any(
        r => r.Section("bgp") is { } bgp && bgp.TryGet("local_address", out IpAddr ours) && ours == address);

    private void CheckInterface(BoundSection link)
    {
        if (link.TryGet("router", out string router) && link.TryGet("interface", out string name)
            && !_interfaces.TryAdd((router, name), link.Value("interface")))
        {
            BoundValue first = _interfaces[(router, name)];
            diagnostics.Error(
                link.Value("interface").At, $"'{link.Path}.interface': '{name}' of {router} is used already, by '{first.Path}' in line {first.At.Line}",
                "give each link an interface of its own; several next hops on one interface make one link");
        }
    }

    private void CheckMatch(BoundSection link)
    {
        if (!link.IsGiven("match") || link.Section("match") is not { } match)
        {
            return;
        }

        if (!root.IsGiven("capture") && root.IsGiven("flow"))
        {
            diagnostics.Error(link.KeyAt("match"), $"'{match.Path}': there is no capture whose frames could match", "remove it, or add `capture`");
            return;
        }

        BoundValue mac = match.Value("mac");
        BoundValue vlan = match.Value("vlan");
        BoundValue source = match.Value("source");
        if (!mac.Given && !vlan.Given && !source.Given)
        {
            diagnostics.Error(
                match.At, $"'{match.Path}' is empty", "give mac, vlan or source, or leave it out: frames are then matched by the MAC addresses of the next hops, read by SNMP");
            return;
        }

        if (mac.Value is MacAddress address && ((address.Value >> 40 & 1) != 0 || address.Value == 0))
        {
            diagnostics.Error(mac.At, $"'{mac.Path}': {address} is not the address of one interface", "give the unicast MAC of the provider's router");
        }

        CheckSource(source);
        if (!mac.Valid || !vlan.Valid || !source.Valid)
        {
            return;
        }

        Fields fields = new(mac.Value as MacAddress?, vlan.Value as long?, source.Value as string);
        string name = link.TryGet("name", out string n) ? n : link.Path;
        foreach ((BoundSection other, string otherName, Fields taken) in _matches)
        {
            if (fields == taken)
            {
                diagnostics.Error(
                    match.At, $"'{match.Path}' is the same as that of {otherName} in line {other.At.Line}",
                    "make them differ in mac, vlan or source: a frame belongs to one link");
                return;
            }

            if (fields.Includes(taken) || taken.Includes(fields))
            {
                (string wide, string narrow) = fields.Includes(taken) ? (name, otherName) : (otherName, name);
                diagnostics.Error(
                    match.At, $"'{match.Path}': every frame of {narrow} also matches {wide} (the other one is in line {other.At.Line})",
                    $"narrow the match of {wide}, for example by vlan or source");
                return;
            }
        }

        _matches.Add((match, name, fields));
    }

    private bool Exports(string router) =>
        root.Section("flow")?.Sections("exporters").Any(e => e.TryGet("router", out string name) && name == router) ?? false;

    private void CheckSource(BoundValue source)
    {
        if (source.Value is not string name || ClusterChecks.RoleOf(root) != ApplianceRole.All)
        {
            // Of a site's links each collector has the mirrors of some.
            return;
        }

        string[] known =
        [
            .. (root.Section("capture")?.Sections("sources") ?? []).SelectMany(
                s => new[] { s.Value("interface"), s.Value("file") }).Where(v => v is { Given: true, Valid: true }).Select(v => v.Text),
        ];
        if (!known.Contains(name))
        {
            string? near = NearestName.Find(name, known);
            diagnostics.Error(
                source.At, $"'{source.Path}': there is no capture source '{name}'",
                near is not null ? $"did you mean '{near}'?" : known.Length > 0 ? "use one of " + string.Join(", ", known) : "add it to capture.sources");
        }
    }

    private void CheckLevels(BoundSection link)
    {
        bool hasThreshold = link.TryGet("threshold", out double threshold);
        bool hasCeiling = link.TryGet("ceiling", out double ceiling);
        bool hasRelease = link.TryGet("release", out double release);
        if (hasCeiling && hasThreshold && ceiling > threshold)
        {
            BoundValue at = link.Value("ceiling").Given ? link.Value("ceiling") : link.Value("threshold");
            diagnostics.Error(
                at.At, $"'{link.Path}': ceiling {link.Value("ceiling").Text} is above threshold {link.Value("threshold").Text}",
                "keep release < ceiling <= threshold, or our own moves would overload the link");
        }

        if (hasRelease && hasCeiling && release >= ceiling)
        {
            BoundValue at = link.Value("release").Given ? link.Value("release") : link.Value("ceiling");
            diagnostics.Error(
                at.At, $"'{link.Path}': release {link.Value("release").Text} is not below ceiling {link.Value("ceiling").Text}",
                "keep release < ceiling <= threshold, or prefixes would move back and forth");
        }
    }

    private readonly record struct Fields(MacAddress? Mac, long? Vlan, string? Source)
    {
        /// <summary>True if every frame that the other matches is matched by this one.</summary>
        public bool Includes(Fields other) =>
            (Mac is null || Mac == other.Mac) && (Vlan is null || Vlan == other.Vlan) && (Source is null || Source == other.Source);
    }
}
