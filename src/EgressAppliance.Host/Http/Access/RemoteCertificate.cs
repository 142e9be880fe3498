using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EgressAppliance.Host.Http.Access;

/// <summary>
/// The certificate of the remote endpoint. It is looked at anew when its files change, so that what renews certificates needs no restart; one that cannot be
/// used leaves the one before in force. Any thread.
/// </summary>
public sealed class RemoteCertificate
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(10);

    private readonly string _certificateFile;
    private readonly string _keyFile;
    private readonly TimeProvider _time;
    private readonly Action<string> _report;
    private readonly Lock _gate = new();
    private SslServerAuthenticationOptions _options;
    private (DateTime, DateTime) _seen;
    private long _looked;

    /// <summary>Reads certificate and key.</summary>
    /// <param name="certificateFile">The certificate and those between it and the root, PEM.</param>
    /// <param name="keyFile">Its key, PEM, not encrypted.</param>
    /// <param name="time">The clock.</param>
    /// <param name="report">Told of files that cannot be used later on.</param>
    /// <exception cref="IOException">They cannot be used; the message says why.</exception>
    public RemoteCertificate(string certificateFile, string keyFile, TimeProvider time, Action<string> report)
    {
        _certificateFile = certificateFile;
        _keyFile = keyFile;
        _time = time;
        _report = report;
        _seen = Written();
        _looked = time.GetTimestamp();
        _options = Options(Load(certificateFile, keyFile, out string problem) ?? throw new IOException(problem));
    }

    /// <summary>What a handshake that begins now is done with.</summary>
    public SslServerAuthenticationOptions Current()
    {
        lock (_gate)
        {
            if (_time.GetElapsedTime(_looked) < LookEvery)
            {
                return _options;
            }

            _looked = _time.GetTimestamp();
            (DateTime, DateTime) now = Written();
            if (now != _seen)
            {
                _seen = now;
                if (Load(_certificateFile, _keyFile, out string problem) is { } renewed)
                {
                    // Connections that began with the old one go on with it; it is collected when the last has ended.
                    _options = Options(renewed);
                }
                else
                {
                    _report(problem + "; the certificate before stays in use");
                }
            }

            return _options;
        }
    }

    /// <summary>Reads certificate and key; null, with the reason, if they cannot be used.</summary>
    public static SslStreamCertificateContext? Load(string certificateFile, string keyFile, out string problem)
    {
        problem = "";
        try
        {
            using X509Certificate2 pem = X509Certificate2.CreateFromPemFile(certificateFile, keyFile);
            X509Certificate2Collection chain = [];
            chain.ImportFromPemFile(certificateFile);

            // By way of PKCS #12, since a key that was only read from PEM cannot be used by every implementation of TLS.
            X509Certificate2 usable = X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
            return SslStreamCertificateContext.Create(usable, chain, offline: true);
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            problem = $"certificate {certificateFile} with key {keyFile}: {e.Message}";
            return null;
        }
    }

    private static SslServerAuthenticationOptions Options(SslStreamCertificateContext context) => new()
    {
        ServerCertificateContext = context,
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
    };

    private (DateTime, DateTime) Written() => (File.GetLastWriteTimeUtc(_certificateFile), File.GetLastWriteTimeUtc(_keyFile));
}
