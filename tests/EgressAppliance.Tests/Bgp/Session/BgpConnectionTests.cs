using System.Net;
using System.Net.Sockets;
using EgressAppliance.Bgp.Session;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Tests.Bgp.Speaker;

namespace EgressAppliance.Tests.Bgp.Session;

/// <summary>One connection over loopback TCP against a raw socket.</summary>
public sealed class BgpConnectionTests : IAsyncLifetime
{
    private readonly Sink _sink = new();
    private Socket _peer = null!;
    private Socket _ours = null!;

    public async Task InitializeAsync()
    {
        using Socket listener = ScriptedRouter.Listen(out int port);
        _peer = ScriptedRouter.NewNarrow();
        await _peer.ConnectAsync(IPAddress.Loopback, port);
        _ours = await listener.AcceptAsync();
    }

    public Task DisposeAsync()
    {
        _peer.Dispose();
        _ours.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task TrySendNow_needs_no_thread_of_the_pool()
    {
        // Never started: there is no writer that could do it.
        using BgpConnection connection = New();

        Assert.True(connection.TrySendNow(Keepalive()));

        byte[] received = new byte[64];
        Assert.Equal(BgpConstants.HeaderLength, await _peer.ReceiveAsync(received).WaitAsync(Sink.Patience));
        Assert.Equal((0, 1), (connection.Pending, _sink.MarkedSent));
    }

    [Fact]
    public async Task TrySend_tells_when_TCP_has_what_is_marked()
    {
        using BgpConnection connection = New();
        connection.Start();
        Assert.True(connection.TrySend(new byte[40]));
        await ReceiveAsync(40);
        Assert.Equal(0, _sink.MarkedSent);

        Assert.True(connection.TrySend(new byte[40], mark: true));
        await ReceiveAsync(40);
        await SpeakerFixture.UntilAsync(() => Volatile.Read(ref _sink.MarkedSent) == 1);
        connection.Close();

        async Task ReceiveAsync(int octets)
        {
            while (octets > 0)
            {
                octets -= await _peer.ReceiveAsync(new byte[octets]).WaitAsync(Sink.Patience);
            }
        }
    }

    [Fact]
    public void TrySendNow_queues_behind_what_waits()
    {
        using BgpConnection connection = New();
        connection.TrySend(new byte[100]);

        Assert.True(connection.TrySendNow(Keepalive()));

        Assert.Equal(100 + BgpConstants.HeaderLength, connection.Pending);
        Assert.Equal(0, _peer.Available);
    }

    [Fact]
    public async Task TrySendNow_never_blocks_and_leaves_to_the_queue_what_the_kernel_does_not_take()
    {
        using BgpConnection connection = New();
        int sent = 0;
        while (connection.Pending == 0)
        {
            Assert.True(connection.TrySendNow(Keepalive()));
            sent++;
            Assert.True(sent < 1_000_000, "the kernel takes everything");
        }

        // Whole messages arrive, and in order, once there is a writer.
        connection.Start();
        byte[] buffer = new byte[20_000];
        int received = 0;
        while (received < sent * BgpConstants.HeaderLength)
        {
            int read = await _peer.ReceiveAsync(buffer).WaitAsync(Sink.Patience);
            for (int i = 0; i < read; i++)
            {
                Assert.Equal(Keepalive()[(received + i) % BgpConstants.HeaderLength], buffer[i]);
            }

            received += read;
        }

        connection.Close();
        _peer.Dispose();
        await connection.Completion.WaitAsync(Sink.Patience);
    }

    [Fact]
    public async Task Peer_that_never_reads_is_told_of_when_the_send_hold_time_is_over()
    {
        using BgpConnection connection = New(TimeSpan.FromMilliseconds(500));
        connection.Start();
        Assert.True(connection.TrySend(new byte[Sink.Limit]));

        string text = await _sink.Stalled.Task.WaitAsync(Sink.Patience);

        Assert.Contains("send hold timer expired", text, StringComparison.Ordinal);
        Assert.InRange(connection.Pending, 1, Sink.Limit);
        connection.Close();
        await connection.Completion.WaitAsync(Sink.Patience);
    }

    [Fact]
    public async Task Peer_that_reads_slowly_is_no_stalled_one()
    {
        using BgpConnection connection = New(TimeSpan.FromSeconds(2));
        connection.Start();
        Assert.True(connection.TrySend(new byte[400_000]));
        Assert.True(connection.WatchDrain());
        byte[] buffer = new byte[20_000];
        int received = 0;
        while (received < 400_000)
        {
            received += await _peer.ReceiveAsync(buffer).WaitAsync(Sink.Patience);
            await Task.Delay(250);
        }

        await _sink.Drained.Task.WaitAsync(Sink.Patience);
        Assert.False(_sink.Stalled.Task.IsCompleted);
        connection.Close();
        _peer.Dispose();
        await connection.Completion.WaitAsync(Sink.Patience);
    }

    [Fact]
    public async Task Fault_of_the_owner_ends_the_writer_with_words()
    {
        using BgpConnection connection = New();
        _sink.DrainedFault = new InvalidOperationException("the owner's own");
        Assert.True(connection.TrySend(new byte[2000]));
        Assert.True(connection.WatchDrain());

        connection.Start();

        Assert.Same(_sink.DrainedFault, await _sink.Fault.Task.WaitAsync(Sink.Patience));
        connection.Close();
        _peer.Dispose();
        await connection.Completion.WaitAsync(Sink.Patience);
    }

    [Fact]
    public async Task HasInput_sees_what_nobody_has_read()
    {
        using BgpConnection connection = New();
        Assert.False(connection.HasInput);

        _peer.Send(Keepalive());

        await SpeakerFixture.UntilAsync(() => connection.HasInput);
    }

    [Fact]
    public async Task Messages_may_be_long_once_that_is_agreed_on()
    {
        using BgpConnection connection = New();
        connection.ReceiveOptions = new() { ExtendedMessage = true };
        connection.Start();
        byte[] update = new byte[BgpConstants.MaxExtendedMessageLength];
        update.AsSpan(0, 18).Fill(0xFF);
        update[18] = (byte)BgpMessageType.Update;
        // All in one go, and a KEEPALIVE behind it: the buffer must cope with a message that fills it.
        _peer.Send([.. update, .. Keepalive()]);

        await SpeakerFixture.UntilAsync(() => _sink.Lengths.Count == 2);

        Assert.Equal([update.Length - BgpConstants.HeaderLength, 0], _sink.Lengths);
        connection.Close();
        _peer.Dispose();
        await connection.Completion.WaitAsync(Sink.Patience);
    }

    private static byte[] Keepalive()
    {
        var writer = new BgpWriter(new byte[BgpConstants.HeaderLength]);
        KeepaliveMessage.Encode(ref writer);
        return writer.Written.ToArray();
    }

    private BgpConnection New(TimeSpan? sendHold = null) =>
        new(_ours, _sink, TimeProvider.System, sendHold ?? TimeSpan.FromSeconds(30), Sink.Limit, lowWaterMark: 1000);

    private sealed class Sink : IConnectionSink
    {
        public const int Limit = 8 << 20;

        public static TimeSpan Patience { get; } = TimeSpan.FromMinutes(2);

        public TaskCompletionSource<string> Stalled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Drained { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource<Exception> Fault { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>What <see cref="OnDrained"/> throws.</summary>
        public Exception? DrainedFault { get; set; }

        public List<int> Lengths { get; } = [];

        public int MarkedSent;

        public void OnMessage(BgpConnection connection, BgpMessageType type, ReadOnlySpan<byte> body) => Lengths.Add(body.Length);

        public void OnIdle(BgpConnection connection)
        {
            // Nothing was put off.
        }

        public void OnHeaderError(BgpConnection connection, BgpError error) => Lengths.Add(-1);

        public void OnClosed(BgpConnection connection, string text) => Stalled.TrySetException(new InvalidOperationException(text));

        public void OnFault(BgpConnection connection, Exception exception) => Fault.TrySetResult(exception);

        public void OnSendStalled(BgpConnection connection, string text) => Stalled.TrySetResult(text);

        public void OnMarkedSent(BgpConnection connection) => Interlocked.Increment(ref MarkedSent);

        public void OnDrained(BgpConnection connection)
        {
            if (DrainedFault is { } fault)
            {
                throw fault;
            }

            Drained.TrySetResult();
        }
    }
}
