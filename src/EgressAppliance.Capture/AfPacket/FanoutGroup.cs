using EgressAppliance.Capture.Interop;

namespace EgressAppliance.Capture.AfPacket;

/// <summary>
/// The fanout group of an interface's workers. The kernel chooses its number, so that no other program's group is joined by chance. A group belongs to
/// one device: when the interface was removed and is back, the first worker to open makes a new one.
/// </summary>
internal sealed unsafe class FanoutGroup(FanoutMode mode, int workers)
{
    private readonly Lock _gate = new();
    private int _interfaceIndex;
    private int _id;

    /// <summary>Makes a bound socket a member; a single worker needs no group.</summary>
    public void Join(int fd, int interfaceIndex, string interfaceName)
    {
        if (workers == 1)
        {
            return;
        }

        lock (_gate)
        {
            if (_interfaceIndex == interfaceIndex && TrySet(fd, _id | ((int)mode << 16)))
            {
                return;
            }

            // Either this is the first member, or the last one has left and the group is gone.
            int argument = ((int)mode | LibC.FanoutFlagUniqueId) << 16;
            uint length = sizeof(int);
            if (!TrySet(fd, argument) || LibC.GetSocketOption(fd, LibC.SolPacket, LibC.PacketFanout, &argument, &length) != 0)
            {
                throw AfPacketErrors.FromLastError(interfaceName, "making a fanout group");
            }

            _id = argument & 0xFFFF;
            _interfaceIndex = interfaceIndex;
        }
    }

    private static bool TrySet(int fd, int argument) =>
        LibC.SetSocketOption(fd, LibC.SolPacket, LibC.PacketFanout, &argument, sizeof(int)) == 0;
}
