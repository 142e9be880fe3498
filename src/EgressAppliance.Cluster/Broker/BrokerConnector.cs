using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace EgressAppliance.Cluster.Broker;

/// <summary>Makes connections, and puts their failures into words. The library's own recovery is off: each loop connects anew, so that there is one place that knows what is sent and what is not.</summary>
internal static class BrokerConnector
{
    /// <summary>For a connection, and for each request on it.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    /// <summary>For any request: the library gives up by itself, whoever waits.</summary>
    private static readonly TimeSpan LongestRequest = TimeSpan.FromSeconds(20);

    // By then heartbeats have closed a connection to a broker that is silent, and a while later all that this brings with it is done.
    private static readonly TimeSpan ClosedWithin = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(5);

    // A broker that is silent is given up after two of them.
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(2);

    /// <summary>The exchange that all collectors of a site publish to.</summary>
    public static string ExchangeOf(string site) => $"egress.{site}";

    /// <summary>The queue of one controller.</summary>
    public static string QueueOf(string site, string box) => $"egress.{site}.{box}";

    /// <summary>Connects to the first broker that answers.</summary>
    /// <param name="options">Who and where.</param>
    /// <param name="problems">Takes what was wrong with those that did not, in words.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The connection and the broker; null if none answers.</returns>
    public static async Task<(IConnection Connection, string Broker)?> ConnectAsync(BrokerOptions options, List<string> problems, CancellationToken cancellationToken)
    {
        foreach ((string host, int port) in options.Brokers)
        {
            cancellationToken.ThrowIfCancellationRequested();
            string broker = host.Contains(':', StringComparison.Ordinal) ? $"[{host}]:{port}" : $"{host}:{port}";
            try
            {
                ConnectionFactory factory = new()
                {
                    HostName = host,
                    Port = port,
                    VirtualHost = options.VirtualHost,
                    UserName = options.User,
                    Password = options.Password,
                    AutomaticRecoveryEnabled = false,
                    TopologyRecoveryEnabled = false,
                    RequestedHeartbeat = Heartbeat,
                    RequestedConnectionTimeout = Patience,
                    SocketReadTimeout = Patience,
                    SocketWriteTimeout = Patience,
                    HandshakeContinuationTimeout = Patience,
                    ContinuationTimeout = LongestRequest,
                    ClientProvidedName = $"egress-appliance {options.Site} {options.Box}",
                };
                if (options.Tls is { } tls)
                {
                    factory.Ssl = Tls(tls, host);
                }

                IConnection connection = await factory.CreateConnectionAsync(cancellationToken).WaitAsync(3 * Patience, cancellationToken).ConfigureAwait(false);
                return (connection, broker);
            }
            catch (Exception e) when (IsFailure(e))
            {
                problems.Add($"{broker}: {Words(e)}");
            }
        }

        return null;
    }

    /// <summary>Whether the broker itself answers, whatever becomes of its queues.</summary>
    public static async Task<bool> AnswersAsync(IConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            IChannel probe = await connection.CreateChannelAsync(cancellationToken: cancellationToken).WaitAsync(Patience, cancellationToken).ConfigureAwait(false);
            await probe.CloseAsync(cancellationToken).WaitAsync(Patience, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (IsFailure(e))
        {
            return false;
        }
    }

    /// <summary>
    /// Ends a connection that failed, later. RabbitMQ.Client 7.1 closes a connection whose heartbeats stay away on a timer's thread, and ends the process with an exception there if somebody else
    /// closes it in the same moment; so this waits until that has been done, and only then lets go of it.
    /// </summary>
    public static async Task AbandonAsync(IConnection connection)
    {
        const int Looks = 50;
        for (int i = 0; i < Looks && connection.IsOpen; i++)
        {
            await Task.Delay(ClosedWithin / Looks).ConfigureAwait(false);
        }

        await Task.Delay(Settled).ConfigureAwait(false);
        await CloseAsync(connection).ConfigureAwait(false);
    }

    /// <summary>Ends a connection whatever the broker does.</summary>
    public static async Task CloseAsync(IConnection connection)
    {
        try
        {
            await connection.AbortAsync(TimeSpan.FromMilliseconds(500)).WaitAsync(TimeSpan.FromSeconds(1)).ConfigureAwait(false);
            await connection.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(1)).ConfigureAwait(false);
        }
        catch (Exception e) when (IsFailure(e))
        {
            // It is to end, and it has.
        }
    }

    /// <summary>Whether an exception is one of the broker's or the network's doing.</summary>
    public static bool IsFailure(Exception e) => e is RabbitMQClientException or SocketException or IOException or TimeoutException or AuthenticationException or CryptographicException
        or ObjectDisposedException or InvalidOperationException or System.Threading.Channels.ChannelClosedException or OperationCanceledException { CancellationToken.IsCancellationRequested: false };

    /// <summary>A failure in words that hold no secret.</summary>
    public static string Words(Exception e)
    {
        for (Exception? inner = e; inner is not null; inner = inner.InnerException)
        {
            switch (inner)
            {
                case AuthenticationFailureException or PossibleAuthenticationFailureException:
                    return "the broker refuses user or password: check cluster.user and cluster.password_file";
                case AuthenticationException:
                    return $"TLS failed ({inner.Message}): check cluster.tls.ca_file and the names of the broker's certificate";
                case CryptographicException:
                    return $"a certificate cannot be read ({inner.Message}): check the files of cluster.tls";
                case OperationInterruptedException { ShutdownReason.ReplyCode: 406 } refused:
                    return $"the broker has it otherwise ({refused.ShutdownReason.ReplyText}): delete the queue or exchange there, it is made anew";
                case OperationInterruptedException { ShutdownReason.ReplyCode: 403 or 530 } forbidden:
                    return $"the broker does not allow it ({forbidden.ShutdownReason.ReplyText}): check cluster.virtual_host and the user's permissions";
                case OperationInterruptedException { ShutdownReason: { } reason }:
                    return reason.ReplyText;
                case PublishException:
                    return "a tick was not taken, since a queue does not answer";
                case SocketException socket:
                    return socket.Message;
                case TimeoutException:
                    return "no answer in time";
                default:
                    break;
            }
        }

        return e is OperationCanceledException ? "no answer in time" : e.Message;
    }

    private static SslOption Tls(BrokerTls tls, string host)
    {
        SslOption ssl = new() { Enabled = true, ServerName = host, Version = SslProtocols.None };
        if (tls.CertificateFile is { } certificate)
        {
            ssl.Certs = [X509Certificate2.CreateFromPemFile(certificate, tls.KeyFile)];
        }

        if (tls.CaFile is { } file)
        {
            X509Certificate2Collection authorities = [];
            authorities.ImportFromPemFile(file);
            ssl.CertificateValidationCallback = (_, shown, chain, errors) => Trusts(authorities, shown, chain, errors);
        }

        return ssl;
    }

    private static bool Trusts(X509Certificate2Collection authorities, X509Certificate? shown, X509Chain? given, SslPolicyErrors errors)
    {
        if (shown is null || (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) != 0)
        {
            return false;
        }

        using X509Chain chain = new();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        foreach (X509ChainElement element in given?.ChainElements ?? Enumerable.Empty<X509ChainElement>())
        {
            chain.ChainPolicy.ExtraStore.Add(element.Certificate);
        }

        using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(shown.GetRawCertData());
        return chain.Build(certificate);
    }
}
