namespace EgressAppliance.Host.Config;

/// <summary>What the keys of the history's sinks must mean together. Values of <c>*_file</c> keys are replaced by the secrets read.</summary>
internal sealed class HistoryChecks(BoundSection root, string baseDirectory, ConfigDiagnostics diagnostics)
{
    /// <summary>Name of the sink that a controller has without being told: the database of the controllers.</summary>
    internal const string SiteSink = "cluster";

    private const int SecretMaximum = 4096;

    public void Run()
    {
        if (root.Section("history") is not { } history)
        {
            return;
        }

        BoundValue enabled = history.Value("enabled");
        if (history.TryGet("enabled", out bool kept) && !kept && history.Sections("sinks").Any())
        {
            diagnostics.Warn(enabled.At, "'history.enabled': without a history the sinks get nothing", "set it to true, or remove `sinks`");
        }

        HashSet<string> names = new(StringComparer.Ordinal);
        foreach (BoundSection sink in history.Sections("sinks"))
        {
            if (!sink.TryGet("kind", out HistorySinkKind kind))
            {
                continue;
            }

            if (kind == HistorySinkKind.Postgresql)
            {
                Needs(sink, "connection_file", "a file with the connection string");
                Refuse(sink, "postgresql", "its connection string says it", "url", "user", "database", "password_file");
                Secret(sink, "connection_file");
            }
            else
            {
                Needs(sink, "url", "the address of the HTTP interface");
                Refuse(sink, "clickhouse", "give `url`, `user` and `password_file`", "connection_file");
                CheckUrl(sink);
                Secret(sink, "password_file");
            }

            BoundValue name = sink.Value("name");
            if (NameOf(sink, kind) == SiteSink && ClusterChecks.RoleOf(root) == ApplianceRole.Controller)
            {
                diagnostics.Error(name.At, $"'{name.Path}': '{SiteSink}' is the name of the copy in cluster.database_file", "give it another name");
            }

            if (!names.Add(NameOf(sink, kind)))
            {
                diagnostics.Error(
                    name.Given ? name.At : sink.Value("kind").At, $"'{sink.Path}': another sink has the name '{NameOf(sink, kind)}'", "give each a `name` of its own");
            }
        }
    }

    /// <summary>The name of a sink: the one given, or its kind.</summary>
    internal static string NameOf(BoundSection sink, HistorySinkKind kind) =>
        sink.Value("name") is { Given: true } name ? name.Text : kind == HistorySinkKind.Postgresql ? "postgresql" : "clickhouse";

    private void Needs(BoundSection sink, string key, string what)
    {
        if (!sink.Value(key).Given)
        {
            diagnostics.Error(sink.KeyAt(key), $"'{sink.Path}.{key}' is missing", $"add it: {what}");
        }
    }

    private void Refuse(BoundSection sink, string kind, string remedy, params string[] keys)
    {
        foreach (BoundValue value in keys.Select(sink.Value).Where(v => v.Given))
        {
            diagnostics.Error(value.At, $"'{value.Path}' is not for {kind}", $"remove it: {remedy}");
        }
    }

    private void Secret(BoundSection sink, string key)
    {
        BoundValue file = sink.Value(key);
        if (file is { Given: true, Valid: true })
        {
            file.Value = SecretFile.Read(file, baseDirectory, SecretMaximum, diagnostics);
        }
    }

    private void CheckUrl(BoundSection sink)
    {
        BoundValue url = sink.Value("url");
        if (!url.Given)
        {
            return;
        }

        if (!Uri.TryCreate(url.Text, UriKind.Absolute, out Uri? parsed) || (parsed.Scheme != Uri.UriSchemeHttp && parsed.Scheme != Uri.UriSchemeHttps)
            || parsed.UserInfo.Length > 0 || parsed.Query.Length > 0)
        {
            diagnostics.Error(
                url.At, $"'{url.Path}': '{url.Text}' is not an address of an HTTP interface", "write it like https://clickhouse.example.net:8443, without user, password and query");
        }
        else if (parsed.Scheme == Uri.UriSchemeHttp && !parsed.IsLoopback && sink.Value("password_file").Given)
        {
            diagnostics.Warn(url.At, $"'{url.Path}': the password goes over the network in clear", "use https");
        }
    }
}
