using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;

namespace EgressAppliance.Host.Http.Access;

/// <summary>
/// How many requests a remote caller may send: few that change something, more that read. Who is on this machine is not limited: a script there may well make a thousand
/// overrides, and the caps of the decision maker hold for everybody. The red button is never limited.
/// </summary>
public static class RequestLimits
{
    /// <summary>Changes of a remote caller at once, and a second.</summary>
    public const int ChangeBurst = 50, ChangesPerSecond = 10;

    /// <summary>Reads of a remote caller at once, and a second.</summary>
    public const int ReadBurst = 300, ReadsPerSecond = 60;

    /// <summary>Failures to authenticate from one network at once; one more each <see cref="FailureSeconds"/>.</summary>
    public const int FailureBurst = 20, FailureSeconds = 3;

    /// <summary>Limits requests by caller.</summary>
    public static PartitionedRateLimiter<HttpContext> ForCallers() => PartitionedRateLimiter.Create<HttpContext, string>(context =>
    {
        Caller caller = Caller.Of(context);
        bool read = AccessGuard.IsRead(context.Request.Method);
        return context.GetEndpoint()?.Metadata.GetMetadata<NeverLimited>() is not null || AccessGuard.IsLocal(context)
            ? RateLimitPartition.GetNoLimiter("")
            : read
                ? RateLimitPartition.GetTokenBucketLimiter("read " + KeyOf(caller), _ => Bucket(ReadBurst, ReadsPerSecond, TimeSpan.FromSeconds(1)))
                : RateLimitPartition.GetTokenBucketLimiter("change " + KeyOf(caller), _ => Bucket(ChangeBurst, ChangesPerSecond, TimeSpan.FromSeconds(1)));
    });

    /// <summary>Limits failures to authenticate by the network they come from.</summary>
    public static PartitionedRateLimiter<IPAddress> ForFailures() => PartitionedRateLimiter.Create<IPAddress, string>(
        address => RateLimitPartition.GetTokenBucketLimiter(NetworkOf(address), _ => Bucket(FailureBurst, 1, TimeSpan.FromSeconds(FailureSeconds))));

    /// <summary>Whole seconds after which to come again, for Retry-After.</summary>
    public static string RetryAfter(RateLimitLease lease)
    {
        ArgumentNullException.ThrowIfNull(lease);
        TimeSpan wait = lease.TryGetMetadata(MetadataName.RetryAfter, out TimeSpan after) ? after : TimeSpan.FromSeconds(1);
        return Math.Max(1, Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
    }

    private static string KeyOf(Caller caller) => caller.Name.Length > 0 ? caller.Name : caller.Via;

    /// <summary>IPv6: the /64, of which one host has all addresses.</summary>
    private static string NetworkOf(IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6 && !address.IsIPv4MappedToIPv6
        ? Convert.ToHexString(address.GetAddressBytes().AsSpan(0, 8))
        : address.ToString();

    private static TokenBucketRateLimiterOptions Bucket(int burst, int permits, TimeSpan period) => new()
    {
        TokenLimit = burst,
        TokensPerPeriod = permits,
        ReplenishmentPeriod = period,
        QueueLimit = 0,
    };
}

/// <summary>Marks an endpoint that works however often it is called.</summary>
public sealed class NeverLimited;

/// <summary>Marks an endpoint that a remote caller reads without a token.</summary>
public sealed class OpenToAll;
