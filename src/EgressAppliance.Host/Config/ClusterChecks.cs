using EgressAppliance.Cluster.Leases;
using Npgsql;

namespace EgressAppliance.Host.Config;

/// <summary>Checks of <c>role</c> and <c>cluster</c>. Values of <c>*_file</c> keys with secrets are replaced by what was read.</summary>
internal sealed class ClusterChecks(BoundSection root, string baseDirectory, ConfigDiagnostics diagnostics)
{
    private const int SecretMaximum = 4096;
    private static readonly string[] ForSites = ["cluster", "box"];
    private static readonly string[] OfCollectors = ["capture", "flow"];

    /// <summary>Time between renewals of the lease.</summary>
    public static readonly TimeSpan Renew = TimeSpan.FromSeconds(1);

    /// <summary>How long a message to a router may lie unacknowledged, for a hold time.</summary>
    public static TimeSpan UnacknowledgedTimeout(TimeSpan hold) => hold / 2;

    /// <summary>How long routes of a stopped controller may stand at a router, for its hold time.</summary>
    public static TimeSpan Silence(TimeSpan hold) => hold + UnacknowledgedTimeout(hold);

    /// <summary>The lease where none is configured.</summary>
    public static TimeSpan DefaultLease(TimeSpan hold) => (2 * hold) + TimeSpan.FromSeconds(2);

    /// <summary>The grace where none is configured.</summary>
    public static TimeSpan DefaultGrace(TimeSpan cycle) => 0.4 * cycle < TimeSpan.FromSeconds(2) ? 0.4 * cycle : TimeSpan.FromSeconds(2);

    /// <summary>The longest hold time of the routers.</summary>
    public static TimeSpan LongestHold(BoundSection root) => root.Sections("routers")
        .Select(r => r.Section("bgp") is { } bgp && bgp.TryGet("hold_time", out TimeSpan hold) ? hold : TimeSpan.Zero).DefaultIfEmpty(TimeSpan.Zero).Max();

    /// <summary>The role; <see cref="ApplianceRole.All"/> where it was refused.</summary>
    public static ApplianceRole RoleOf(BoundSection root) => root.TryGet("role", out ApplianceRole role) ? role : ApplianceRole.All;

    /// <summary>The host name as the name of a box.</summary>
    public static string HostName()
    {
        string name = new([.. Environment.MachineName.Split('.')[0].Select(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' ? c : '-').Take(64)]);
        return name.Length > 0 ? name : "box";
    }

    /// <summary>The collectors of a section without errors.</summary>
    public static IReadOnlyList<ClusterCollectorConfig> Collectors(BoundSection cluster, BoundSection root) =>
    [
        .. cluster.Sections("collectors").Select(c => new ClusterCollectorConfig
        {
            Box = c.Get<string>("box"), Links = LinksOf(c, root), Mirror = c.TryGet("mirror", out string mirror) ? mirror : "",
        }),
    ];

    public void Run()
    {
        ApplianceRole role = RoleOf(root);
        BoundSection? cluster = root.IsGiven("cluster") ? root.Section("cluster") : null;
        if (role == ApplianceRole.All)
        {
            foreach (string key in ForSites.Where(root.IsGiven))
            {
                diagnostics.Warn(root.KeyAt(key), $"'{key}' has no effect with role all", "set role to collector or controller, or remove it");
            }
        }
        else if (cluster is null)
        {
            if (!root.IsGiven("cluster"))
            {
                diagnostics.Error(root.Value("role").At, $"'cluster' is missing, which role {root.Value("role").Text} needs", "add it: the brokers between collectors and controllers");
            }

            return;
        }

        if (cluster is null)
        {
            return;
        }

        ReadSecret(cluster, "password_file");
        ReadSecret(cluster, "database_file");
        CheckTls(cluster);
        CheckDatabase(cluster, role);
        CheckCollectors(cluster, role);
        if (role == ApplianceRole.Controller)
        {
            CheckController(cluster);
        }
    }

    private void CheckController(BoundSection cluster)
    {
        foreach (string key in OfCollectors.Where(root.IsGiven))
        {
            diagnostics.Error(root.KeyAt(key), $"'{key}' is not for a controller", "remove it: the collectors count");
        }

        TimeSpan hold = LongestHold(root);
        foreach (BoundSection router in root.Sections("routers"))
        {
            if (router.Section("bgp") is { } bgp && bgp.TryGet("hold_time", out TimeSpan own) && own == TimeSpan.Zero)
            {
                diagnostics.Error(
                    bgp.Value("hold_time").At, $"'{bgp.Path}.hold_time': without one a router keeps the routes of a controller that was stopped, and another would lead meanwhile", "use 3s to 9s");
                return;
            }
        }

        TimeSpan least = LeaseOptions.LeastTerm(Silence(hold), Renew);
        if (cluster.TryGet("lease", out TimeSpan lease) && lease < least)
        {
            diagnostics.Error(
                cluster.Value("lease").At,
                $"'cluster.lease': {cluster.Value("lease").Text} is too short for a hold_time of {Units.FormatDuration(hold)}: routes of a controller that was stopped stand for {Units.FormatDuration(Silence(hold))}",
                $"use {Units.FormatDuration(TimeSpan.FromSeconds(Math.Ceiling(least.TotalSeconds)))} or more, or a shorter hold_time");
        }

        if (root.Section("decision") is { } decision && decision.TryGet("cycle", out TimeSpan cycle) && cluster.TryGet("grace", out TimeSpan grace) && grace >= cycle)
        {
            diagnostics.Error(
                cluster.Value("grace").At, $"'cluster.grace': {cluster.Value("grace").Text} is not less than decision.cycle {decision.Value("cycle").Text}", $"use for example {Units.FormatDuration(DefaultGrace(cycle))}");
        }
    }

    private void CheckDatabase(BoundSection cluster, ApplianceRole role)
    {
        BoundValue file = cluster.Value("database_file");
        if (!file.Given)
        {
            if (role == ApplianceRole.Controller)
            {
                diagnostics.Error(cluster.At, "'cluster.database_file' is missing", "add it: the file with the connection string of the controllers' PostgreSQL");
            }

            return;
        }

        if (file.Value is string connection && !IsConnection(connection))
        {
            diagnostics.Error(
                file.At, $"'{file.Path}': '{file.Text}' holds no connection string", "write it as its only line, like `Host=db1,db2;Database=egress;Username=egress;Password=…`");
        }
    }

    /// <summary>What it is made of stays here: the exception may quote the password.</summary>
    private static bool IsConnection(string text)
    {
        try
        {
            return new NpgsqlConnectionStringBuilder(text) is { Host.Length: > 0 };
        }
        catch (Exception e) when (e is ArgumentException or FormatException or InvalidCastException or KeyNotFoundException)
        {
            return false;
        }
    }

    private void CheckCollectors(BoundSection cluster, ApplianceRole role)
    {
        IReadOnlyList<BoundSection> collectors = cluster.Sections("collectors");
        if (collectors.Count == 0)
        {
            if (role == ApplianceRole.Controller)
            {
                diagnostics.Error(cluster.At, "'cluster.collectors' is missing", "list the collectors: a controller decides only when it hears all of them");
            }

            return;
        }

        string[] routers = Names("routers"), links = Names("links");
        NameRegister names = new(diagnostics, "collector");
        Dictionary<string, (BoundSection Section, int[] Links)> mirrors = new(StringComparer.Ordinal);
        foreach (BoundSection collector in collectors)
        {
            names.Add(collector.Value("box"));
            CheckNames(collector, "routers", routers);
            CheckNames(collector, "links", links);
            if (collector.Value("routers").Given && collector.Value("links").Given)
            {
                diagnostics.Error(collector.Value("links").At, $"'{collector.Path}' has both routers and links", "keep one of them: the links that its mirrors show");
            }

            int[] shown = [.. LinksOf(collector, root)];
            if (collector.TryGet("mirror", out string mirror) && !mirrors.TryAdd(mirror, (collector, shown)) && !mirrors[mirror].Links.SequenceEqual(shown))
            {
                diagnostics.Error(
                    collector.Value("mirror").At, $"'{collector.Path}' shows other links than {mirrors[mirror].Section.Value("box").Text}, which has the same mirror", "give both the same routers or links");
            }
        }

        HashSet<int> all = [.. collectors.SelectMany(c => LinksOf(c, root))];
        for (int i = 0; i < root.Sections("links").Count; i++)
        {
            BoundSection link = root.Sections("links")[i];
            if (role == ApplianceRole.Controller && !all.Contains(i))
            {
                diagnostics.Error(link.At, $"no collector shows '{link.Path}'", "name its router or it in cluster.collectors");
            }
        }
    }

    private string[] Names(string list) => [.. root.Sections(list).Select(s => s.TryGet("name", out string name) ? name : "")];

    private void CheckNames(BoundSection collector, string key, string[] known)
    {
        foreach ((BoundValue bound, string name) in collector.Items<string>(key))
        {
            if (!known.Contains(name) && !known.Contains(""))
            {
                string? near = NearestName.Find(name, known);
                diagnostics.Error(bound.At, $"'{bound.Path}': there is no {key[..^1]} '{name}'", near is not null ? $"did you mean '{near}'?" : "use one of " + string.Join(", ", known));
            }
        }
    }

    private void CheckTls(BoundSection cluster)
    {
        if (cluster.Section("tls") is not { } tls || !cluster.IsGiven("tls"))
        {
            if (cluster.Value("password_file").Given && cluster.Items<(string Host, int Port)>("brokers").Any(b => b.Value.Host is not ("localhost" or "127.0.0.1" or "::1")))
            {
                diagnostics.Warn(cluster.Value("password_file").At, "'cluster.password_file': the password goes over the network in clear", "add `tls` with `ca_file`");
            }

            return;
        }

        foreach (string key in new[] { "ca_file", "certificate_file", "key_file" })
        {
            BoundValue file = tls.Value(key);
            if (file is { Given: true, Valid: true } && !File.Exists(Path.GetFullPath(file.Text, baseDirectory)))
            {
                diagnostics.Error(file.At, $"'{file.Path}': there is no file '{file.Text}'", "relative paths start at the folder of the configuration file");
            }
        }

        if (tls.Value("certificate_file").Given != tls.Value("key_file").Given)
        {
            diagnostics.Error(tls.At, $"'{tls.Path}' has a certificate without its key, or a key without its certificate", "give certificate_file and key_file, or neither");
        }
    }

    private void ReadSecret(BoundSection section, string key)
    {
        BoundValue file = section.Value(key);
        if (file is { Given: true, Valid: true })
        {
            file.Value = SecretFile.Read(file, baseDirectory, SecretMaximum, diagnostics);
        }
    }

    private static IReadOnlyList<int> LinksOf(BoundSection collector, BoundSection root)
    {
        HashSet<string> routers = [.. collector.Items<string>("routers").Select(r => r.Value)];
        HashSet<string> links = [.. collector.Items<string>("links").Select(l => l.Value)];
        return
        [
            .. root.Sections("links").Select((link, i) => (Link: link, Index: i)).Where(l => links.Count > 0
                ? l.Link.TryGet("name", out string name) && links.Contains(name)
                : routers.Count == 0 || (l.Link.TryGet("router", out string router) && routers.Contains(router))).Select(l => l.Index),
        ];
    }
}
