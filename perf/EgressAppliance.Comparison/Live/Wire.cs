using EgressAppliance.Comparison.Running;

namespace EgressAppliance.Comparison.Live;

/// <summary>Two network namespaces joined by a veth pair: <c>wire0</c>, where frames are sent, and <c>mir0</c>, where they are captured.</summary>
internal sealed class Wire : IDisposable
{
    /// <summary>The interface to send out of.</summary>
    public const string SenderInterface = "wire0";

    /// <summary>The interface to capture on.</summary>
    public const string ReceiverInterface = "mir0";

    private readonly string _senderSpace = $"egress-perf-a-{Environment.ProcessId}";
    private readonly string _receiverSpace = $"egress-perf-b-{Environment.ProcessId}";

    /// <summary>Makes it; needs root.</summary>
    /// <exception cref="ComparisonException">A command fails.</exception>
    public Wire()
    {
        try
        {
            Ip("netns", "add", _senderSpace);
            Ip("netns", "add", _receiverSpace);
            Ip("link", "add", SenderInterface, "netns", _senderSpace, "type", "veth", "peer", "name", ReceiverInterface, "netns", _receiverSpace);
            foreach ((string space, string name) in ((string, string)[])[(_senderSpace, SenderInterface), (_receiverSpace, ReceiverInterface)])
            {
                // No packets of the kernel's own (neighbour and router discovery).
                ProcessRun.Run("ip", "netns", "exec", space, "sysctl", "-qw", $"net.ipv6.conf.{name}.disable_ipv6=1");
                Ip("-n", space, "link", "set", name, "up");
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>A command line that runs a program at the sending end, on CPU 0.</summary>
    public string[] AtSender(params IEnumerable<string> command) => ["netns", "exec", _senderSpace, "taskset", "-c", "0", .. command];

    /// <summary>A command line that runs a program at the receiving end, on CPU 1.</summary>
    public string[] AtReceiver(params IEnumerable<string> command) => ["netns", "exec", _receiverSpace, "taskset", "-c", "1", .. command];

    /// <summary>Removes both namespaces, and with them the pair.</summary>
    public void Dispose()
    {
        ProcessRun.TryFirstLine("ip", "netns", "delete", _senderSpace);
        ProcessRun.TryFirstLine("ip", "netns", "delete", _receiverSpace);
    }

    private static void Ip(params string[] arguments) => ProcessRun.Run("ip", arguments);
}
