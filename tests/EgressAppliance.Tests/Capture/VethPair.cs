using System.Buffers.Binary;
using System.Diagnostics;
using System.Net.Sockets;
using EgressAppliance.Capture.AfPacket;
using EgressAppliance.Capture.Interop;

namespace EgressAppliance.Tests.Capture;

/// <summary>Two interfaces that are the ends of one cable, for one test: frames sent into <see cref="Sender"/> come out of <see cref="Receiver"/>.</summary>
internal sealed class VethPair : IDisposable
{
    private static int _count;

    public VethPair()
    {
        string name = $"ega{Environment.ProcessId % 100000}x{Interlocked.Increment(ref _count)}";
        Sender = name + "s";
        Receiver = name + "r";
        Create();
    }

    /// <summary>Path of the ip command, or null.</summary>
    public static string? IpCommand { get; } =
        ((string[])["/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip", "/bin/ip"]).FirstOrDefault(File.Exists);

    public string Sender { get; }

    public string Receiver { get; }

    public static void Ip(params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(IpCommand!, arguments) { RedirectStandardError = true })!;
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"ip {string.Join(' ', arguments)}: {error}");
    }

    /// <summary>Makes the pair, or makes it again after <see cref="Remove"/>.</summary>
    public void Create()
    {
        Ip("link", "add", Sender, "mtu", "65535", "type", "veth", "peer", "name", Receiver, "mtu", "65535");
        foreach (string name in (string[])[Sender, Receiver])
        {
            // No router solicitations or neighbour discovery among the frames that are counted.
            string ipv6 = $"/proc/sys/net/ipv6/conf/{name}/disable_ipv6";
            if (File.Exists(ipv6))
            {
                File.WriteAllText(ipv6, "1");
            }

            Ip("link", "set", name, "up");
        }
    }

    public void Remove() => Ip("link", "del", Sender);

    /// <summary>A socket that sends whole frames from an interface.</summary>
    public static unsafe Socket OpenSender(string interfaceName)
    {
        int fd = LibC.Socket(LibC.AfPacket, LibC.SockRaw | LibC.SockCloseOnExec, 0);
        Assert.True(fd >= 0);
        SockAddrLinkLayer address = new()
        {
            Family = LibC.AfPacket,
            Protocol = BinaryPrimitives.ReverseEndianness(LibC.EthPAll),
            InterfaceIndex = InterfaceInfo.IndexOf(interfaceName),
        };
        Assert.Equal(0, LibC.Bind(fd, &address, (uint)sizeof(SockAddrLinkLayer)));
        return new Socket(new SafeSocketHandle(fd, ownsHandle: true));
    }

    public void Dispose()
    {
        if (InterfaceInfo.IndexOf(Sender) != 0)
        {
            Remove();
        }
    }
}
