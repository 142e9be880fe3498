using System.Net;
using System.Security.Cryptography.X509Certificates;
using EgressAppliance.Host.Http.Access;

namespace EgressAppliance.Host.Config;

/// <summary>Checks of <c>http</c>: who can reach the endpoint, and what remote access needs.</summary>
/// <param name="root">The whole file.</param>
/// <param name="baseDirectory">What relative paths are relative to.</param>
/// <param name="diagnostics">Takes the errors.</param>
internal sealed class HttpChecks(BoundSection root, string baseDirectory, ConfigDiagnostics diagnostics)
{
    private static readonly TimeSpan SoonExpired = TimeSpan.FromDays(14);

    public void Run()
    {
        if (root.Section("http") is not { } http)
        {
            return;
        }

        BoundValue listen = http.Value("listen");
        if (listen.Value is IPEndPoint local && !IPAddress.IsLoopback(local.Address))
        {
            diagnostics.Error(
                listen.At, $"'http.listen': {local.Address} is not a loopback address, and whoever reaches this endpoint can steer without a password",
                $"use 127.0.0.1:{local.Port}, and http.remote (TLS and tokens) or an SSH tunnel for callers from elsewhere");
        }

        if (http.Section("remote") is not { } remote)
        {
            return;
        }

        BoundValue address = remote.Value("listen");
        if (address.Value is IPEndPoint elsewhere && listen.Value is IPEndPoint near && elsewhere.Port == near.Port && elsewhere.Port != 0
            && elsewhere.AddressFamily == near.AddressFamily)
        {
            diagnostics.Error(
                address.At, $"'http.remote.listen': port {elsewhere.Port} is that of http.listen ({near})", elsewhere.Port == 8443 ? "use another port" : "use another port, such as 8443");
        }

        CheckCertificate(remote);
        CheckTokens(remote);
    }

    private void CheckCertificate(BoundSection remote)
    {
        BoundValue certificate = remote.Value("certificate_file");
        BoundValue key = remote.Value("key_file");
        if (!Exists(certificate, "give the PEM file of the certificate") || !Exists(key, "give the PEM file of the certificate's key"))
        {
            return;
        }

        string file = Path.GetFullPath(certificate.Text, baseDirectory);
        if (RemoteCertificate.Load(file, Path.GetFullPath(key.Text, baseDirectory), out string problem) is not { } loaded)
        {
            diagnostics.Error(
                certificate.At, $"'{certificate.Path}': the {problem.Replace(file, $"'{certificate.Text}'", StringComparison.Ordinal)}",
                "give a certificate and the unencrypted key that belongs to it, both in PEM");
            return;
        }

        X509Certificate2 leaf = loaded.TargetCertificate;
        TimeSpan left = leaf.NotAfter.ToUniversalTime() - DateTime.UtcNow;
        if (left < SoonExpired)
        {
            diagnostics.Warn(
                certificate.At, $"'{certificate.Path}': the certificate {(left < TimeSpan.Zero ? "expired" : "expires")} on {leaf.NotAfter.ToUniversalTime():yyyy-MM-dd}",
                "renew it; the appliance takes the new one without a restart");
        }

        SecretFile.WarnIfOthersMayRead(key, Path.GetFullPath(key.Text, baseDirectory), diagnostics);
    }

    private void CheckTokens(BoundSection remote)
    {
        BoundValue tokens = remote.Value("tokens_file");
        if (tokens.Text is not { Length: > 0 })
        {
            return;
        }

        const string Remedy = "make one with `egress-appliance token add NAME --scope read`";
        string path = Path.GetFullPath(tokens.Text, baseDirectory);
        if (!File.Exists(path))
        {
            diagnostics.Warn(tokens.At, $"'{tokens.Path}': there is no file '{tokens.Text}', so that no remote caller gets in", Remedy);
            return;
        }

        TokenFileContent content = TokenFile.Read(path);
        foreach (string problem in content.Problems)
        {
            diagnostics.Warn(tokens.At, $"'{tokens.Path}': {problem.Replace(path, $"'{tokens.Text}'", StringComparison.Ordinal)}", "mend or remove it; it gives no access");
        }

        if (content.Tokens.Count == 0 && content.Problems.Count == 0)
        {
            diagnostics.Warn(tokens.At, $"'{tokens.Path}': there is no token in '{tokens.Text}', so that no remote caller gets in", Remedy);
        }
    }

    private bool Exists(BoundValue file, string remedy)
    {
        if (!file.Valid || file.Text is not { Length: > 0 } text)
        {
            return false;
        }

        if (File.Exists(Path.GetFullPath(text, baseDirectory)))
        {
            return true;
        }

        diagnostics.Error(file.At, $"'{file.Path}': there is no file '{text}'", remedy);
        return false;
    }
}
