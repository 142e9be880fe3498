using System.Buffers.Binary;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Network;

/// <summary>A mirrored UDP frame.</summary>
/// <param name="DestinationMac">Lower case, with colons.</param>
/// <param name="IsIpv6">IPv6, else IPv4.</param>
/// <param name="Length">Bytes of the frame.</param>
internal sealed record MirroredFrame(string DestinationMac, bool IsIpv6, int Length);

/// <summary>Looks at the mirror port with a plain packet socket, as any tool would.</summary>
internal static class MirrorTap
{
    private const int ProtocolAll = 0x0300;
    private const ushort EtherTypeIpv4 = 0x0800;
    private const ushort EtherTypeIpv6 = 0x86dd;
    private const byte Udp = 17;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    /// <summary>The next UDP frames that arrive in the appliance's namespace, where nothing but the mirror carries any.</summary>
    public static Task<IReadOnlyList<MirroredFrame>> ReadAsync(NetNamespace appliance, int count)
    {
        var result = new TaskCompletionSource<IReadOnlyList<MirroredFrame>>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            try
            {
                NativeMethods.EnterNetworkNamespace(appliance.Path);
                result.SetResult(Read(count));
            }
            catch (Exception e) when (e is InvalidOperationException or SocketException or IOException)
            {
                result.SetException(e);
            }
        })
        { IsBackground = true, Name = "lab mirror tap" }.Start();
        return result.Task;
    }

    private static List<MirroredFrame> Read(int count)
    {
        using var socket = new Socket(AddressFamily.Packet, SocketType.Raw, (ProtocolType)ProtocolAll) { ReceiveTimeout = (int)Limit.TotalMilliseconds };
        var frames = new List<MirroredFrame>();
        byte[] buffer = new byte[1 << 16];
        while (frames.Count < count)
        {
            Span<byte> frame = buffer.AsSpan(0, socket.Receive(buffer));
            ushort etherType = BinaryPrimitives.ReadUInt16BigEndian(frame[12..]);
            bool udp = (etherType == EtherTypeIpv4 && frame[14 + 9] == Udp) || (etherType == EtherTypeIpv6 && frame[14 + 6] == Udp);
            if (udp)
            {
                string mac = string.Join(':', new PhysicalAddress(frame[..6].ToArray()).GetAddressBytes().Select(octet => octet.ToString("x2")));
                frames.Add(new MirroredFrame(mac, etherType == EtherTypeIpv6, frame.Length));
            }
        }

        return frames;
    }
}
