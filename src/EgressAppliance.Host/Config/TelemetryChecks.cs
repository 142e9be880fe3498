namespace EgressAppliance.Host.Config;

/// <summary>Checks of <c>telemetry</c>. The value of <c>header_file</c> is replaced by the line read.</summary>
internal sealed class TelemetryChecks(BoundSection root, string baseDirectory, ConfigDiagnostics diagnostics)
{
    private const int HeaderMaximum = 4096;

    public void Run()
    {
        if (root.Section("telemetry")?.Section("otlp") is not { } otlp)
        {
            return;
        }

        BoundValue endpoint = otlp.Value("endpoint");
        BoundValue header = otlp.Value("header_file");
        if (endpoint.Given)
        {
            CheckEndpoint(endpoint, header);
        }

        if (header is { Given: true, Valid: true })
        {
            header.Value = SecretFile.Read(header, baseDirectory, HeaderMaximum, diagnostics);
            if (header.Value is string line && HeaderOf(line) is null)
            {
                diagnostics.Error(header.At, $"'{header.Path}': '{header.Text}' holds no header", "write it as its only line, like `Authorization: Bearer …`");
                header.Value = null;
            }
        }

        if (otlp.TryGet("interval", out TimeSpan interval) && otlp.TryGet("timeout", out TimeSpan timeout) && timeout > interval)
        {
            diagnostics.Error(
                otlp.Value("timeout").At, $"'telemetry.otlp.timeout': a collector may not take longer ({Units.FormatDuration(timeout)}) than the time between exports ({Units.FormatDuration(interval)})",
                "make it shorter");
        }
    }

    /// <summary>Name and value of a header line; null if it is none.</summary>
    internal static KeyValuePair<string, string>? HeaderOf(string line)
    {
        int colon = line.IndexOf(':', StringComparison.Ordinal);
        string name = colon < 0 ? "" : line[..colon].Trim(), value = colon < 0 ? "" : line[(colon + 1)..].Trim();

        // RFC 9110 section 5.6.2: a token; values are visible ASCII and blanks, of which the exporter takes no others either.
        return name.Length > 0 && value.Length > 0 && name.All(c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal))
            && value.All(c => c is >= ' ' and <= '~')
            ? KeyValuePair.Create(name, value) : null;
    }

    private void CheckEndpoint(BoundValue endpoint, BoundValue header)
    {
        if (!Uri.TryCreate(endpoint.Text, UriKind.Absolute, out Uri? parsed) || (parsed.Scheme != Uri.UriSchemeHttp && parsed.Scheme != Uri.UriSchemeHttps)
            || parsed.UserInfo.Length > 0 || parsed.Query.Length > 0)
        {
            diagnostics.Error(
                endpoint.At, $"'{endpoint.Path}': '{endpoint.Text}' is not an address of a collector", "write it like http://collector.example.net:4318, without user, password and query");
        }
        else if (parsed.AbsolutePath.EndsWith("/v1/metrics", StringComparison.Ordinal))
        {
            diagnostics.Error(endpoint.At, $"'{endpoint.Path}': the appliance adds /v1/metrics itself", $"write {parsed.AbsoluteUri[..^"/v1/metrics".Length]}");
        }
        else if (parsed.Scheme == Uri.UriSchemeHttp && !parsed.IsLoopback && header.Given)
        {
            diagnostics.Warn(endpoint.At, $"'{endpoint.Path}': the header goes over the network in clear", "use https");
        }
    }
}
