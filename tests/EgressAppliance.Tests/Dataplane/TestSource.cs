using System.Runtime.InteropServices;
using EgressAppliance.Capture;

namespace EgressAppliance.Tests.Dataplane;

/// <summary>A source whose frames the test gives; it may wait for the test, or fail.</summary>
internal sealed unsafe class TestSource : IPacketSource
{
    private readonly Lock _gate = new();
    private readonly Queue<(byte[] Bytes, FrameHeader[] Frames)> _blocks = new();
    private readonly SemaphoreSlim _available = new(0);
    private bool _ended;
    private GCHandle _pin;
    private long _delivered;

    public TestSource(string name = "test")
    {
        Name = name;
    }

    public string Name { get; }

    public Exception? Failure { get; set; }

    /// <summary>Gives one block; the link layer, tag and lengths may be changed on the way.</summary>
    public TestSource Give(IEnumerable<byte[]> frames, Func<FrameHeader, FrameHeader>? change = null)
    {
        List<byte> bytes = [];
        List<FrameHeader> headers = [];
        foreach (byte[] frame in frames)
        {
            FrameHeader header = new(bytes.Count, frame.Length, frame.Length, 0, false, LinkLayerType.Ethernet);
            headers.Add(change is null ? header : change(header));
            bytes.AddRange(frame);
        }

        lock (_gate)
        {
            _blocks.Enqueue(([.. bytes], [.. headers]));
        }

        _available.Release();
        return this;
    }

    public TestSource End()
    {
        _ended = true;
        _available.Release();
        return this;
    }

    public SourceReadStatus Read(FrameBlock block, TimeSpan timeout)
    {
        if (!_available.Wait(timeout))
        {
            return SourceReadStatus.Timeout;
        }

        if (Failure is not null)
        {
            throw Failure;
        }

        lock (_gate)
        {
            if (_blocks.Count == 0)
            {
                _available.Release();
                return _ended ? SourceReadStatus.End : SourceReadStatus.Timeout;
            }

            (byte[] bytes, FrameHeader[] frames) = _blocks.Dequeue();
            Fill(block, bytes, frames);
            _delivered += frames.Length;
        }

        return SourceReadStatus.Frames;
    }

    public void Fill(FrameBlock block, byte[] bytes, FrameHeader[] frames)
    {
        if (_pin.IsAllocated)
        {
            _pin.Free();
        }

        _pin = GCHandle.Alloc(bytes, GCHandleType.Pinned);
        block.Reset((byte*)_pin.AddrOfPinnedObject(), bytes.Length);
        foreach (FrameHeader frame in frames)
        {
            Assert.True(block.TryAdd(frame));
        }
    }

    public SourceStatistics GetStatistics()
    {
        lock (_gate)
        {
            return new(_delivered, 3, 1);
        }
    }

    public void Dispose()
    {
        if (_pin.IsAllocated)
        {
            _pin.Free();
        }

        _available.Dispose();
    }
}
