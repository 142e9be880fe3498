using System.Net;

namespace EgressAppliance.Host.Config;

/// <summary><c>http:</c></summary>
public sealed record HttpConfig
{
    /// <summary>Address and port; loopback unless the operator says otherwise.</summary>
    public IPEndPoint Listen { get; init; } = new(IPAddress.Loopback, 8080);

    /// <summary>Unix socket for the command line, or empty for none.</summary>
    public string Socket { get; init; } = "/run/egress-appliance/api.sock";

    /// <summary><c>remote</c>, or null for none.</summary>
    public RemoteHttpConfig? Remote { get; init; }
}

/// <summary><c>http.remote:</c> the endpoint for callers from elsewhere, with TLS and tokens.</summary>
public sealed record RemoteHttpConfig
{
    /// <summary>Address and port.</summary>
    public required IPEndPoint Listen { get; init; }

    /// <summary>The certificate and those between it and the root, PEM.</summary>
    public required string CertificateFile { get; init; }

    /// <summary>Its key, PEM.</summary>
    public required string KeyFile { get; init; }

    /// <summary>The tokens.</summary>
    public required string TokensFile { get; init; }
}
