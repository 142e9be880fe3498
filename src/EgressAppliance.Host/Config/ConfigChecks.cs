using System.Globalization;
using System.Net;
using System.Numerics;
using EgressAppliance.Net;

namespace EgressAppliance.Host.Config;

/// <summary>
/// What values must mean together, beyond the type and range of each: names that refer to one another, orderings, files that must
/// exist. Every check reports at the key that one would change, and says nothing about values that were refused already.
/// </summary>
public sealed class ConfigChecks
{
    /// <summary>Bytes of a ring block beside a frame: the block's and the frame's headers, with some to spare.</summary>
    private const int BlockOverhead = 1024;

    /// <summary>
    /// Bytes in which all headers of a mirror over IPv4 lie: Ethernet 14, IPv4 20, GRE with its sequence number 8, ERSPAN III with its subheader 20
    /// (VXLAN: UDP and VXLAN 16), Ethernet and two tags 22, IPv6 40.
    /// </summary>
    private const int TunnelSnapLength = 128;

    /// <summary>The same over IPv6, which is 20 bytes longer, and with some to spare.</summary>
    private const int AmpleTunnelSnapLength = 160;

    private readonly BoundSection _root;
    private readonly string _baseDirectory;
    private readonly ConfigDiagnostics _diagnostics;

    private ConfigChecks(BoundSection root, string baseDirectory, ConfigDiagnostics diagnostics)
    {
        _root = root;
        _baseDirectory = baseDirectory;
        _diagnostics = diagnostics;
    }

    /// <summary>Runs every check. Values of <c>*_file</c> keys are replaced by the secrets read.</summary>
    public static void Run(BoundSection root, string baseDirectory, ConfigDiagnostics diagnostics)
    {
        ArgumentNullException.ThrowIfNull(root);
        ConfigChecks checks = new(root, baseDirectory, diagnostics);
        checks.CheckInputs();
        checks.CheckSources();
        checks.CheckDecapsulation();
        checks.CheckRouters();
        new BgpChecks(root, baseDirectory, diagnostics).Run();
        new BmpChecks(root, diagnostics).Run();
        new SnmpChecks(root, baseDirectory, diagnostics).Run();
        new LinkChecks(root, diagnostics).Run();
        new FlowChecks(root, diagnostics).Run();
        new ClusterChecks(root, baseDirectory, diagnostics).Run();
        new HistoryChecks(root, baseDirectory, diagnostics).Run();
        checks.CheckDecision();
        checks.CheckPolicies();
        new HttpChecks(root, baseDirectory, diagnostics).Run();
        new TelemetryChecks(root, baseDirectory, diagnostics).Run();
    }

    private void CheckInputs()
    {
        // A file that holds no keys was refused as a whole: it has not even the sections that are made of defaults.
        if (_root.Section("http") is not null && !_root.IsGiven("capture") && !_root.IsGiven("flow") && ClusterChecks.RoleOf(_root) != ApplianceRole.Controller)
        {
            _diagnostics.Error(_root.At, "'capture' is missing", "add it: where packets come from; or `flow`, for routers that cannot mirror");
        }
    }

    private void CheckSources()
    {
        Dictionary<string, BoundValue> seen = [];
        long? sampling = null;
        foreach (BoundSection source in _root.Section("capture")?.Sections("sources") ?? [])
        {
            CheckBackend(source);
            CheckRing(source);
            CheckCpus(source);
            if (source.Value("fanout").Given && source.TryGet("workers", out long workers) && workers == 1)
            {
                _diagnostics.Warn(
                    source.Value("fanout").At, $"'{source.Path}.fanout' has no effect with one worker", "raise workers, or remove it");
            }

            if (source.TryGet("sampling", out long own) && (sampling ??= own) != own)
            {
                BoundValue value = source.Value("sampling");
                _diagnostics.Error(
                    value.Given ? value.At : source.At, $"'{value.Path}': {own} differs from the {sampling} of the first source",
                    "give all sources one sampling rate: counters are scaled as a whole");
            }

            BoundValue name = source.Value("interface").Given ? source.Value("interface") : source.Value("file");
            if (name is { Given: true, Valid: true } && !seen.TryAdd(name.Text, name))
            {
                _diagnostics.Error(
                    name.At, $"'{name.Path}': '{name.Text}' is a source already, in line {seen[name.Text].At.Line}",
                    "remove one of them: its frames would count twice; use workers to share the load");
            }
        }
    }

    private void CheckDecapsulation()
    {
        if (_root.Section("capture") is not { } capture || capture.Value("decapsulate") is not { Items.Count: > 0 } tunnels)
        {
            return;
        }

        foreach (BoundValue repeated in tunnels.Items.Where(t => t.Valid).GroupBy(t => t.Text).SelectMany(g => g.Skip(1)))
        {
            _diagnostics.Error(repeated.At, $"'{repeated.Path}': {repeated.Text} is listed twice", "list each tunnel once");
        }

        foreach (BoundSection source in capture.Sections("sources"))
        {
            if (source.TryGet("backend", out CaptureBackend backend) && backend != CaptureBackend.PcapFile
                && source.TryGet("snaplen", out long snaplen) && snaplen < TunnelSnapLength)
            {
                BoundValue value = source.Value("snaplen");
                _diagnostics.Warn(
                    value.At, $"'{value.Path}': {snaplen} bytes may end before the IP header within a tunnel of 'capture.decapsulate'",
                    $"use {AmpleTunnelSnapLength}");
            }
        }

        // Without an Ethernet header in the tunnel there is no MAC and no VLAN to tell links by.
        bool frames = capture.Items<MirrorTunnel>("decapsulate").Any(t => t.Value != MirrorTunnel.IpInIp);
        foreach (BoundSection link in frames ? [] : _root.Sections("links"))
        {
            if (link.Section("match") is { } match && (match.IsGiven("mac") || match.IsGiven("vlan")))
            {
                _diagnostics.Warn(
                    link.KeyAt("match"), $"'{match.Path}': packets from within ipip have no MAC and no VLAN, and match nothing here",
                    "match by source: one interface for each link's mirror");
            }
        }
    }

    private void CheckBackend(BoundSection source)
    {
        BoundValue name = source.Value("interface");
        BoundValue file = source.Value("file");
        if (!source.TryGet("backend", out CaptureBackend backend))
        {
            return;
        }

        bool wantsFile = backend == CaptureBackend.PcapFile;
        (BoundValue wanted, BoundValue other) = wantsFile ? (file, name) : (name, file);
        string backendText = source.Value("backend").Text;
        if (!wanted.Given)
        {
            _diagnostics.Error(
                source.At, $"'{wanted.Path}' is missing", $"backend {backendText} needs {(wantsFile ? "the capture file" : "the interface on the mirror port")}");
        }

        if (other.Given)
        {
            _diagnostics.Error(
                source.KeyAt(other.Key.Name), $"'{other.Path}' has no meaning with backend {backendText}",
                wantsFile ? "remove it, or choose backend af_packet" : "remove it, or choose backend pcap_file");
        }

        if (wantsFile && file is { Given: true, Valid: true } && !File.Exists(Path.GetFullPath(file.Text, _baseDirectory)))
        {
            _diagnostics.Error(file.At, $"'{file.Path}': there is no file '{file.Text}'", "relative paths start at the folder of the configuration file");
        }

        if (backend == CaptureBackend.SharpPcap && !BuildFeatures.SharpPcap)
        {
            _diagnostics.Error(
                source.Value("backend").At, $"'{source.Path}.backend': this build has no sharppcap backend",
                "use af_packet, or build with `make WITH_SHARPPCAP=1`");
        }
    }

    private void CheckRing(BoundSection source)
    {
        if (!source.TryGet("block", out long block))
        {
            return;
        }

        int page = Environment.SystemPageSize;
        if (!BitOperations.IsPow2(block) || block % page != 0)
        {
            long better = Math.Max(page, (long)BitOperations.RoundUpToPowerOf2((ulong)block));
            _diagnostics.Error(
                source.Value("block").At, $"'{source.Path}.block': {source.Value("block").Text} is not a power of two and a multiple of the page size",
                $"use for example {Units.FormatSize(better)}");
        }
        else if (source.TryGet("snaplen", out long snaplen) && block < snaplen + BlockOverhead)
        {
            BoundValue at = source.Value("block").Given ? source.Value("block") : source.Value("snaplen");
            _diagnostics.Error(
                at.At, $"'{source.Path}.block': {source.Value("block").Text} has no room for a frame of snaplen {snaplen}",
                $"use for example {Units.FormatSize((long)BitOperations.RoundUpToPowerOf2((ulong)(snaplen + BlockOverhead)))}");
        }
        else if (source.TryGet("ring", out long ring) && (ring % block != 0 || ring / block < 2))
        {
            BoundValue at = source.Value("ring").Given ? source.Value("ring") : source.Value("block");
            long better = Math.Max(2, (ring + block - 1) / block) * block;
            _diagnostics.Error(
                at.At, $"'{source.Path}.ring': {source.Value("ring").Text} is not two or more whole blocks of {source.Value("block").Text}",
                $"use for example {Units.FormatSize(better)}");
        }
    }

    private void CheckCpus(BoundSection source)
    {
        BoundValue cpus = source.Value("cpus");
        if (!cpus.Given || !cpus.Valid || cpus.Items.Count == 0 || !source.TryGet("workers", out long workers))
        {
            return;
        }

        if (cpus.Items.Count != workers)
        {
            _diagnostics.Error(
                cpus.At, $"'{cpus.Path}' lists {cpus.Items.Count} CPUs for {workers} workers",
                $"list one CPU for each worker, or set workers: {cpus.Items.Count}");
        }

        foreach (BoundValue repeated in cpus.Items.GroupBy(c => c.Text).SelectMany(g => g.Skip(1)))
        {
            _diagnostics.Error(repeated.At, $"'{repeated.Path}': CPU {repeated.Text} is listed twice", "give each worker a CPU of its own");
        }
    }

    private void CheckRouters()
    {
        NameRegister names = new(_diagnostics, "router");
        Dictionary<IpAddr, BoundValue> addresses = [];
        foreach (BoundSection router in _root.Sections("routers"))
        {
            names.Add(router.Value("name"));
            BoundValue address = router.Value("address");
            if (address.Value is IpAddr ip)
            {
                CheckUnicast(address, ip, _diagnostics);
                if (!addresses.TryAdd(ip, address))
                {
                    _diagnostics.Error(
                        address.At, $"'{address.Path}': {ip} is a router already, in line {addresses[ip].At.Line}", "give each router once");
                }
            }
        }
    }

    private void CheckDecision()
    {
        if (_root.Section("decision") is not { } decision)
        {
            return;
        }

        if (decision.TryGet("confirm_cycles", out long confirm) && decision.TryGet("confirm_of", out long of) && confirm > of)
        {
            BoundValue at = decision.Value("confirm_cycles").Given ? decision.Value("confirm_cycles") : decision.Value("confirm_of");
            _diagnostics.Error(at.At, $"'decision.confirm_cycles': {confirm} of the last {of} cycles cannot be", "use at most `confirm_of`");
        }

        if (decision.TryGet("cycle", out TimeSpan cycle))
        {
            if (decision.TryGet("lease", out TimeSpan lease) && lease <= 2 * cycle)
            {
                BoundValue at = decision.Value("lease").Given ? decision.Value("lease") : decision.Value("cycle");
                _diagnostics.Error(
                    at.At, $"'decision.lease': {decision.Value("lease").Text} is not more than two cycles of {decision.Value("cycle").Text}",
                    $"use more than {Units.FormatDuration(2 * cycle)}, so that one late cycle does not end every override");
            }

            if (decision.TryGet("window", out TimeSpan window) && window < cycle)
            {
                BoundValue at = decision.Value("window").Given ? decision.Value("window") : decision.Value("cycle");
                _diagnostics.Error(
                    at.At, $"'decision.window': {decision.Value("window").Text} is less than a cycle of {decision.Value("cycle").Text}",
                    $"use at least {Units.FormatDuration(cycle)}");
            }
        }

        new CostChecks(_root, decision, _diagnostics).Run();
        if (decision.TryGet("max_share", out double share) && decision.TryGet("max_share_per_cycle", out double perCycle) && perCycle > share)
        {
            BoundValue at = decision.Value("max_share_per_cycle").Given ? decision.Value("max_share_per_cycle") : decision.Value("max_share");
            _diagnostics.Error(
                at.At, $"'decision.max_share_per_cycle': {decision.Value("max_share_per_cycle").Text} is more than max_share {decision.Value("max_share").Text}",
                "one cycle cannot move more than all overrides together may carry: lower it");
        }

        // The default marker needs an AS number that fits the upper half of an RFC 1997 community.
        if (!decision.Value("marker_community").Given
            && _root.Sections("routers") is [var first, ..]
            && first.Section("bgp") is { } bgp
            && bgp.TryGet("local_as", out long localAs)
            && localAs is > 65534)
        {
            _diagnostics.Error(
                decision.KeyAt("marker_community"), $"'decision.marker_community' is missing, and AS {localAs.ToString(CultureInfo.InvariantCulture)} is too large to make one of",
                "add it: a community without a meaning in your network, such as \"64512:64900\"");
        }
    }

    private void CheckPolicies()
    {
        string[] links = [.. _root.Sections("links").Select(l => l.TryGet("name", out string name) ? name : "")];
        if (_root.Section("decision") is { } decision && !links.Contains(""))
        {
            // A policy may well name the link whose name was refused.
            new PolicyChecks(decision.Sections("policies"), links, _diagnostics).Run();
        }
    }

    /// <summary>Refuses addresses that no host can have: unspecified, loopback (where it cannot be meant), multicast.</summary>
    internal static bool CheckUnicast(BoundValue bound, IpAddr address, ConfigDiagnostics diagnostics)
    {
        IPAddress ip = address.ToIPAddress();
        bool unicast = !ip.Equals(IPAddress.Any) && !ip.Equals(IPAddress.IPv6Any) && !ip.IsIPv6Multicast
            && !(address.Family == IpFamily.IPv4 && address.IPv4Value >= 0xE000_0000);
        if (!unicast)
        {
            diagnostics.Error(bound.At, $"'{bound.Path}': {address} is not the address of a host", "give a unicast address");
        }

        return unicast;
    }
}

/// <summary>Names that must be unique among their kind.</summary>
/// <param name="diagnostics">Takes the errors.</param>
/// <param name="kind">What bears the names.</param>
internal sealed class NameRegister(ConfigDiagnostics diagnostics, string kind)
{
    private readonly Dictionary<string, ConfigPosition> _seen = [];

    public void Add(BoundValue name)
    {
        if (name.Value is string text && !_seen.TryAdd(text, name.At))
        {
            diagnostics.Error(
                name.At, $"'{name.Path}': there is a {kind} '{text}' already, in line {_seen[text].Line}", $"give each {kind} a name of its own");
        }
    }
}
