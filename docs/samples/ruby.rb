# BASE_URL=https://… TOKEN=… ruby ruby.rb
require 'json'
require 'net/http'

def call(request, body = nil)
  request['Authorization'] = "Bearer #{ENV.fetch('TOKEN')}"
  request['Content-Type'] = 'application/json'
  request.body = JSON.generate(body) if body
  uri = request.uri
  response = Net::HTTP.start(uri.host, uri.port, use_ssl: uri.scheme == 'https', open_timeout: 10, read_timeout: 30) do |http|
    http.request(request)
  end
  failure = "#{response.code} #{response.body}"
  raise failure unless response.is_a?(Net::HTTPSuccess)

  JSON.parse(response.body) rescue raise failure
end

begin
  abort 'BASE_URL or TOKEN is missing' if ENV['BASE_URL'].to_s.empty? || ENV['TOKEN'].to_s.empty?
  uri = URI("#{ENV['BASE_URL'].chomp('/')}/settings/organization")
  puts call(Net::HTTP::Post.new(uri), { settings: { theme: 'dark', limits: { maxFileSize: '10GB' } } })['message']
  puts call(Net::HTTP::Get.new(uri)).dig('settings', 'limits', 'maxFileSize')
rescue StandardError => e
  abort e.message
end
