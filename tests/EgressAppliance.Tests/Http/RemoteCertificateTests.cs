using System.Security.Cryptography.X509Certificates;
using EgressAppliance.Host.Http.Access;
using EgressAppliance.Tests.Snmp;

namespace EgressAppliance.Tests.Http;

public sealed class RemoteCertificateTests : IDisposable
{
    private readonly TlsFiles _files = new();

    public void Dispose() => _files.Dispose();

    [Fact]
    public void Renewed_certificate_is_taken_and_a_broken_one_is_not()
    {
        ManualTimeProvider time = new();
        List<string> told = [];
        RemoteCertificate certificate = new(_files.Certificate, _files.Key, time, told.Add);
        string first = Thumbprint(certificate);
        using X509Certificate2 renewed = _files.Issue(DateTimeOffset.UtcNow.AddYears(2));
        Touch(1);
        Assert.Equal(first, Thumbprint(certificate));
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(renewed.Thumbprint, Thumbprint(certificate));

        File.WriteAllText(_files.Certificate, "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n");
        Touch(2);
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(renewed.Thumbprint, Thumbprint(certificate));
        Assert.Contains("stays in use", Assert.Single(told), StringComparison.Ordinal);
    }

    [Fact]
    public void Certificate_without_its_key_cannot_be_used()
    {
        string other = _files.Key + ".other";
        File.Copy(_files.Key, other);
        _files.Issue(DateTimeOffset.UtcNow.AddYears(1)).Dispose();
        Assert.Null(RemoteCertificate.Load(_files.Certificate, other, out string problem));
        Assert.Contains(_files.Certificate, problem, StringComparison.Ordinal);
        Assert.Throws<IOException>(() => new RemoteCertificate(_files.Certificate, other, TimeProvider.System, _ => { }));
    }

    /// <summary>Written later, whatever the file system's clock.</summary>
    private void Touch(int minutes) => File.SetLastWriteTimeUtc(_files.Certificate, DateTime.UtcNow.AddMinutes(minutes));

    private static string Thumbprint(RemoteCertificate certificate) => certificate.Current().ServerCertificateContext!.TargetCertificate.Thumbprint;
}
